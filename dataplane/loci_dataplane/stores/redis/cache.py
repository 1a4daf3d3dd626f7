"""The SearchCache port on Redis or Valkey, shared by all pods of a tenant.

All results of a tenant are fields of one hash, named by a digest of their query; each begins with its generation. The
hash expires a while after its first field was set, and is dropped when it has too many, so its size is bounded and
clearing it is one command, without SCAN, which shows the names of other tenants' keys.

A command that fails or takes longer than a quarter of a second counts as a miss, whatever the client library makes of
it (redis-py's cluster client has raised AttributeError during a resharding). After that the cache counts as empty until
a task in the background reaches the server, so an outage delays only the searches that are under way when it begins.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar

import structlog
from redis.asyncio import Redis
from redis.asyncio.cluster import RedisCluster

from loci_contract import redis as names
from loci_dataplane.stores.errors import StoreUnavailableError

COMPONENT: Final = "cache"
_SECONDS: Final = 0.25
_PAUSE_SECONDS: Final = 1.0
"""Between two attempts to reach a server that is away."""
_ATTEMPT_SECONDS: Final = 3.0
"""Of one attempt, in which the client may also have to learn where a cluster's slots are now."""
_LIFETIME_SECONDS: Final = 300
_ENTRIES_MAX: Final = 1_000
_RESULT_MAX: Final = 65_536
"""Bytes of the largest result that is kept."""
_SEPARATOR: Final = b"\n"
_Value = TypeVar("_Value")


class RedisCache:
    """Results of one tenant.

    Args:
        client: the client, which returns bytes and does not retry.
        tenant: the tenant's name.
    """

    def __init__(self, client: Redis | RedisCluster, tenant: str) -> None:
        self._client: Any = client  # typed as if each command were synchronous, too
        self._key = f"{names.prefix(tenant)}results"
        self._recovery: asyncio.Task[None] | None = None
        self._log = structlog.get_logger().bind(tenant_id=tenant)

    async def get(self, generation: str, query: str) -> bytes | None:
        """Return a result of this generation."""
        held = await self._tried(self._client.hget, self._key, _field(query))
        start = generation.encode() + _SEPARATOR
        return held[len(start) :] if held and held.startswith(start) else None

    async def put(self, generation: str, query: str, result: bytes) -> None:
        """Keep a result in place of an earlier generation's."""
        if len(result) <= _RESULT_MAX:
            await self._tried(self._set, _field(query), generation.encode() + _SEPARATOR + result)

    async def clear(self) -> None:
        """Remove the hash."""
        await self._required(self._client.unlink, self._key)

    async def check(self) -> None:
        """Reach the server."""
        await self._required(self._client.ping)

    async def close(self) -> None:
        """End what runs in the background."""
        if self._recovery:
            self._recovery.cancel()
            await asyncio.gather(self._recovery, return_exceptions=True)

    async def _set(self, field: str, value: bytes) -> None:
        # Not a transaction: redis-py's cluster client would run it on the event loop of another thread, and hang.
        pipeline = self._client.pipeline(transaction=False)
        pipeline.hset(self._key, field, value)
        pipeline.expire(self._key, _LIFETIME_SECONDS, nx=True)
        pipeline.hlen(self._key)
        *_, entries = await pipeline.execute()
        if entries > _ENTRIES_MAX:
            await self._client.unlink(self._key)

    async def _tried(self, call: Callable[..., Awaitable[_Value]], *arguments: object) -> _Value | None:
        """Return what a call returns; None if it fails, or while the server is away."""
        if self._recovery:
            return None
        try:
            return await _within(_SECONDS, call(*arguments))
        except Exception as error:  # noqa: BLE001 - the edge to a library and a server whose failures are all misses
            if not self._recovery:
                self._log.warning("cache is away, searches are computed", error=type(error).__name__)
                self._recovery = asyncio.create_task(self._recover())
            return None

    async def _recover(self) -> None:
        while True:
            await asyncio.sleep(_PAUSE_SECONDS)
            with contextlib.suppress(Exception):
                await _within(_ATTEMPT_SECONDS, self._client.hlen(self._key))
                break
        self._log.info("cache is used again")
        self._recovery = None

    async def _required(self, call: Callable[..., Awaitable[object]], *arguments: object) -> None:
        try:
            await _within(_ATTEMPT_SECONDS, call(*arguments))
        except Exception as error:
            raise StoreUnavailableError(COMPONENT, type(error).__name__) from error


async def _within(seconds: float, awaitable: Awaitable[_Value]) -> _Value:
    async with asyncio.timeout(seconds):
        return await awaitable


def _field(query: str) -> str:
    return hashlib.sha256(query.encode(errors="surrogatepass")).hexdigest()
