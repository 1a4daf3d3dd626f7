"""Token buckets in Redis, shared by every policy process: exact, one round trip for all requests that wait together.

Requests of one tenant that wait together are one call, which says how many of them pass: first come, first served.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from importlib.resources import files
from typing import Any, Final, NamedTuple

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError, ResponseError

from loci_contract.registry import Limits
from loci_policy.buckets.bucket import BucketsUnavailableError, Verdict

_LIBRARY: Final = files(__package__).joinpath("redis.lua").read_text()


_Call = tuple[str, int, str, str]


class _Kind(NamedTuple):
    """What requests must share to be asked for together."""

    tenant: str
    limits: Limits
    cost: int

    def arguments(self, requests: int) -> _Call:
        """Those of FCALL; the hash tag keeps all of a tenant's keys on one node of a Redis Cluster."""
        asked = f"{self.limits.burst} {self.limits.requests_per_minute} {self.cost} {requests}"
        return "loci_take", 1, f"b:{{{self.tenant}}}", asked


_Waiting = dict[_Kind, list[asyncio.Future[Verdict]]]


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
        self._waiting: _Waiting = {}
        self._sender: asyncio.Task[None] | None = None

    async def load(self) -> None:
        """Put this version's function into Redis; BucketsUnavailableError when it cannot be reached."""
        try:
            await self._client.function_load(_LIBRARY, replace=True)
        except (RedisError, OSError) as error:
            raise BucketsUnavailableError(type(error).__name__) from error

    async def take(self, tenant: str, limits: Limits, cost: int) -> Verdict:
        """Take tokens from the tenant's bucket; requests that come while a round trip is under way share the next."""
        answer: asyncio.Future[Verdict] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(_Kind(tenant, limits, cost), []).append(answer)
        if self._sender is None:
            self._sender = asyncio.create_task(self._send())
        return await answer

    async def _send(self) -> None:
        try:
            while self._waiting:
                asked, self._waiting = self._waiting, {}
                await self._settle(asked)
        finally:
            self._sender = None

    async def _settle(self, asked: _Waiting) -> None:
        try:
            replies = await self._call([kind.arguments(len(answers)) for kind, answers in asked.items()])
            for (kind, answers), reply in zip(asked.items(), replies, strict=True):
                _answer(kind, answers, reply)
        except Exception as error:  # noqa: BLE001 - the edge to Redis: whatever it says, nobody waits in vain
            _fail([answer for answers in asked.values() for answer in answers], error)

    async def _call(self, calls: Sequence[_Call]) -> list[Any]:
        async with asyncio.timeout(self._timeout):
            replies = await self._ask(calls)
            if any(isinstance(reply, ResponseError) for reply in replies):  # it has no function, or not this one
                await self._client.function_load(_LIBRARY, replace=True)
                replies = await self._ask(calls)
        return replies

    async def _ask(self, calls: Sequence[_Call]) -> list[Any]:
        if len(calls) == 1:  # as most often: cheaper than a pipeline of one
            try:
                return [await self._client.fcall(*calls[0])]
            except ResponseError as error:
                return [error]
        pipeline = self._client.pipeline(transaction=False)
        for call in calls:
            pipeline.fcall(*call)
        replies: list[Any] = await pipeline.execute(raise_on_error=False)
        return replies


def _answer(kind: _Kind, answers: Sequence[asyncio.Future[Verdict]], reply: str | Exception) -> None:
    """Tell each waiting request, in the order in which they came; one whose caller went away has had its token."""
    if isinstance(reply, Exception):
        _fail(answers, reply)
        return
    admitted, left, retry, reset = map(int, reply.split(" "))
    for place, answer in enumerate(answers, 1):
        passes = place <= admitted
        remaining = left + max(0, admitted - place) * kind.cost
        if not answer.done():
            answer.set_result(Verdict(passes, remaining, 0.0 if passes else retry / 1000, reset / 1000))


def _fail(answers: Iterable[asyncio.Future[Verdict]], error: Exception) -> None:
    for answer in answers:
        if not answer.done():
            answer.set_exception(BucketsUnavailableError(type(error).__name__))
