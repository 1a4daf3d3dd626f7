"""Token buckets in Redis, shared by all policy processes.

Requests are batched: while one round trip is in flight, new requests queue up, and the next one takes them all in one
pipeline. Requests with the same tenant, limits and cost become a single function call that returns how many of them are
admitted; these are the first in arrival order. The Redis Function in `redis.lua` computes a bucket atomically on the
server's clock, so limits are exact across processes.

Cost: at most one round trip in flight per process, and one function call per tenant in it. A request waits at most two
round trips, its predecessors' and its own. Failure modes: a timeout or connection error fails every request of the
batch with BucketsUnavailableError, without a retry, and the caller falls back. If Redis lost the function (a restart
without persistence), it is loaded and the batch is sent once more. A cancelled request still consumes its token.
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
    """Key by which requests are grouped into one function call."""

    tenant: str
    limits: Limits
    cost: int

    def arguments(self, requests: int) -> _Call:
        """Arguments of FCALL; the hash tag keeps a tenant's keys on one node of a Redis Cluster."""
        asked = f"{self.limits.burst} {self.limits.requests_per_minute} {self.cost} {requests}"
        return "loci_take", 1, f"b:{{{self.tenant}}}", asked


_Waiting = dict[_Kind, list[asyncio.Future[Verdict]]]


def redis_client(url: str, timeout: float) -> Redis:
    """Redis client without retries; `timeout` in seconds."""
    return Redis.from_url(
        url, socket_timeout=timeout, socket_connect_timeout=timeout, retry=Retry(NoBackoff(), 0), decode_responses=True
    )


class RedisBuckets:
    """Token buckets implemented as a Redis Function, which is loaded on demand."""

    def __init__(self, client: Redis, timeout: float) -> None:
        self._client = client
        self._timeout = timeout
        self._waiting: _Waiting = {}
        self._sender: asyncio.Task[None] | None = None

    async def load(self) -> None:
        """Load this version's function into Redis; raises BucketsUnavailableError if Redis is unavailable."""
        try:
            await self._client.function_load(_LIBRARY, replace=True)
        except (RedisError, OSError) as error:
            raise BucketsUnavailableError(type(error).__name__) from error

    async def take(self, tenant: str, limits: Limits, cost: int) -> Verdict:
        """Take tokens from the tenant's bucket."""
        verdict: asyncio.Future[Verdict] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(_Kind(tenant, limits, cost), []).append(verdict)
        if self._sender is None:
            self._sender = asyncio.create_task(self._send())
        return await verdict

    async def _send(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting, {}
                await self._settle(batch)
        finally:
            self._sender = None

    async def _settle(self, batch: _Waiting) -> None:
        try:
            replies = await self._call([kind.arguments(len(verdicts)) for kind, verdicts in batch.items()])
            for (kind, verdicts), reply in zip(batch.items(), replies, strict=True):
                _resolve(kind, verdicts, reply)
        except Exception as error:  # noqa: BLE001 - edge to Redis: every waiting request must get a result
            _fail([verdict for verdicts in batch.values() for verdict in verdicts], error)

    async def _call(self, calls: Sequence[_Call]) -> list[Any]:
        async with asyncio.timeout(self._timeout):
            replies = await self._ask(calls)
            if any(
                isinstance(reply, ResponseError) for reply in replies
            ):  # the function is missing or of another version
                await self._client.function_load(_LIBRARY, replace=True)
                replies = await self._ask(calls)
        return replies

    async def _ask(self, calls: Sequence[_Call]) -> list[Any]:
        if len(calls) == 1:  # the common case; cheaper than a pipeline
            try:
                return [await self._client.fcall(*calls[0])]
            except ResponseError as error:
                return [error]
        pipeline = self._client.pipeline(transaction=False)
        for call in calls:
            pipeline.fcall(*call)
        replies: list[Any] = await pipeline.execute(raise_on_error=False)
        return replies


def _resolve(kind: _Kind, verdicts: Sequence[asyncio.Future[Verdict]], reply: str | Exception) -> None:
    """Resolve the waiting requests in arrival order; a cancelled request has consumed its token."""
    if isinstance(reply, Exception):
        _fail(verdicts, reply)
        return
    admitted, left, retry, reset = map(int, reply.split(" "))
    for place, verdict in enumerate(verdicts, 1):
        passes = place <= admitted
        remaining = left + max(0, admitted - place) * kind.cost
        if not verdict.done():
            verdict.set_result(Verdict(passes, remaining, 0.0 if passes else retry / 1000, reset / 1000))


def _fail(verdicts: Iterable[asyncio.Future[Verdict]], error: Exception) -> None:
    for verdict in verdicts:
        if not verdict.done():
            verdict.set_exception(BucketsUnavailableError(type(error).__name__))
