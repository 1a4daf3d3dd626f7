"""Token buckets in Redis, shared by every policy process: exact, one round trip for all requests that wait together."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Final

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError, ResponseError

from loci_contract.registry import Limits
from loci_policy.buckets import BucketsUnavailableError, Verdict

_LIBRARY: Final = files(__package__).joinpath("buckets.lua").read_text()
_MISSING: Final = "Function not found"
_BATCH: Final = 256


@dataclass(frozen=True, slots=True)
class _Taking:
    tenant: str
    limits: Limits
    cost: int
    answer: asyncio.Future[Verdict]

    def arguments(self) -> tuple[str, int, str, str]:
        """Those of FCALL; the hash tag keeps all of a tenant's keys on one node of a Redis Cluster."""
        asked = f"{self.limits.burst} {self.limits.requests_per_minute} {self.cost}"
        return "loci_take", 1, f"b:{{{self.tenant}}}", asked


def redis_client(url: str, timeout: float) -> Redis:
    """A client that fails fast instead of trying again; `timeout` in seconds."""
    return Redis.from_url(
        url, socket_timeout=timeout, socket_connect_timeout=timeout, retry=Retry(NoBackoff(), 0), decode_responses=True
    )


class RedisBuckets:
    """Buckets as a Redis Function, loaded when Redis does not have it (first start, restart without its data)."""

    def __init__(self, client: Redis, timeout: float) -> None:
        self._client = client
        self._timeout = timeout
        self._waiting: list[_Taking] = []
        self._sender: asyncio.Task[None] | None = None

    async def load(self) -> None:
        """Put this version's function into Redis; BucketsUnavailableError when it cannot be reached."""
        try:
            await self._client.function_load(_LIBRARY, replace=True)
        except (RedisError, OSError) as error:
            raise BucketsUnavailableError(type(error).__name__) from error

    async def take(self, tenant: str, limits: Limits, cost: int) -> Verdict:
        """Take tokens from the tenant's bucket; requests that come while a round trip is under way share the next."""
        taking = _Taking(tenant, limits, cost, asyncio.get_running_loop().create_future())
        self._waiting.append(taking)
        if self._sender is None:
            self._sender = asyncio.create_task(self._send())
        return await taking.answer

    async def _send(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting[:_BATCH], self._waiting[_BATCH:]
                await self._settle(batch)
        finally:
            self._sender = None

    async def _settle(self, batch: list[_Taking]) -> None:
        try:
            replies = await self._call(batch)
        except (RedisError, OSError, TimeoutError) as error:
            replies = [error] * len(batch)
        for taking, reply in zip(batch, replies, strict=True):
            if taking.answer.done():  # its caller went away
                continue
            if isinstance(reply, Exception):
                taking.answer.set_exception(BucketsUnavailableError(type(reply).__name__))
            else:
                taking.answer.set_result(_verdict(reply))

    async def _call(self, batch: list[_Taking]) -> list[Any]:
        async with asyncio.timeout(self._timeout):
            replies = await self._pipeline(batch)
            if any(isinstance(reply, ResponseError) and _MISSING in str(reply) for reply in replies):
                await self._client.function_load(_LIBRARY, replace=True)
                replies = await self._pipeline(batch)
        return replies

    async def _pipeline(self, batch: list[_Taking]) -> list[Any]:
        pipeline = self._client.pipeline(transaction=False)
        for taking in batch:
            pipeline.fcall(*taking.arguments())
        replies: list[Any] = await pipeline.execute(raise_on_error=False)
        return replies


def _verdict(reply: str) -> Verdict:
    allowed, remaining, retry_after, reset_after = map(int, reply.split(" "))
    return Verdict(bool(allowed), remaining, retry_after / 1000, reset_after / 1000)
