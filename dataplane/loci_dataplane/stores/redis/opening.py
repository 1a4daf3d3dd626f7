"""Opening a tenant's cache on Redis or Valkey; connections are made when they are needed."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import unquote, urlsplit, urlunsplit

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.cluster import RedisCluster
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.credentials import CredentialProvider

from loci_dataplane.stores.redis.cache import RedisCache

_SECONDS: Final = 1.0
_CONNECTIONS: Final = 8


@dataclass(frozen=True)
class RedisServer:
    """How to reach a server.

    Args:
        url: returns its address, `redis://user:password@host:port/db` or `rediss://`; credentials are taken from it for
            each connection, since passwords change.
        is_cluster: whether it is a node of a Redis Cluster.
    """

    url: Callable[[], str] = field(repr=False)
    is_cluster: bool = False


class _Credentials(CredentialProvider):
    def __init__(self, url: Callable[[], str]) -> None:
        self._url = url

    def get_credentials(self) -> tuple[str] | tuple[str, str]:
        parts = urlsplit(self._url())
        password = unquote(parts.password or "")
        return (unquote(parts.username), password) if parts.username else (password,)


@contextlib.asynccontextmanager
async def redis_cache(server: RedisServer, tenant: str) -> AsyncIterator[RedisCache]:
    """The tenant's cache for the length of the block; it opens although the server is away."""
    client = _cluster(server) if server.is_cluster else _single(server)
    cache = RedisCache(client, tenant)
    try:
        yield cache
    finally:
        await cache.close()
        await client.aclose()


def _single(server: RedisServer) -> Redis:
    pool = BlockingConnectionPool.from_url(
        _address(server), max_connections=_CONNECTIONS, timeout=_SECONDS, **_options(server)
    )
    return Redis.from_pool(pool)


def _cluster(server: RedisServer) -> RedisCluster:
    return RedisCluster.from_url(_address(server), max_connections=_CONNECTIONS, **_options(server))


def _options(server: RedisServer) -> dict[str, Any]:
    credentials = {"credential_provider": _Credentials(server.url)} if urlsplit(server.url()).password else {}
    limits = {"socket_timeout": _SECONDS, "socket_connect_timeout": _SECONDS, "retry": Retry(NoBackoff(), 0)}
    return {**limits, **credentials}


def _address(server: RedisServer) -> str:
    parts = urlsplit(server.url())
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
