"""The cache on Redis while the server goes away, and on a cluster whose slots move and whose primary is lost."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from typing import Final

import pytest
import redis

from loci_contract import redis as names
from loci_dataplane.stores.errors import StoreUnavailableError
from loci_dataplane.stores.redis import cache as adapter
from loci_dataplane.stores.redis.cache import RedisCache
from loci_dataplane.stores.redis.opening import RedisServer, redis_cache
from loci_dev.rigs.redis import Redis
from loci_dev.rigs.redis import redis as redis_server
from loci_dev.rigs.redis_cluster import Node, RedisCluster, redis_cluster
from loci_dev.tools.catalog import MissingToolError

TENANTS: Final = [f"tenant-{number}" for number in range(12)]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Redis]:
    try:
        with redis_server(tmp_path) as running:
            yield running
    except MissingToolError as error:
        pytest.skip(str(error))


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[RedisCluster]:
    try:
        with redis_cluster(tmp_path, primaries=3, replicas=3) as running:
            yield running
    except MissingToolError as error:
        pytest.skip(str(error))


async def test_without_the_server_nothing_is_found_nothing_fails_and_later_it_is_used_again(
    server: Redis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adapter, "_PAUSE_SECONDS", 0.1)
    async with redis_cache(RedisServer(lambda: server.url), "acme") as cache:
        await cache.put("1", "otter", b"found")
        assert await cache.get("1", "otter") == b"found"
        server.process.kill()
        server.process.wait()
        assert await cache.get("1", "otter") is None
        await cache.put("1", "otter", b"found")
        for call in (cache.check, cache.clear):
            with pytest.raises(StoreUnavailableError):
                await call()
        with redis_server(tmp_path, server.port):
            await until_kept(cache)
            await cache.check()


async def test_a_server_that_is_away_delays_no_further_search(server: Redis) -> None:
    async with (
        redis_cache(RedisServer(lambda: "redis://127.0.0.1:1/0"), "acme") as cache,
        redis_cache(RedisServer(lambda: server.url), "acme") as other,
    ):
        assert await cache.get("1", "otter") is None
        cache._client = other._client
        await cache.put("1", "otter", b"found")
        assert await other.get("1", "otter") is None, "not even tried"
        await until_kept(cache)


async def test_a_stopped_server_costs_a_search_no_more_than_its_time_limit(server: Redis) -> None:
    async with redis_cache(RedisServer(lambda: server.url), "acme") as cache:
        await until_kept(cache)
        server.process.send_signal(19)
        try:
            assert await cache.get("1", "otter") is None
        finally:
            server.process.send_signal(18)


async def test_the_size_of_a_tenant_s_cache_is_bounded(server: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adapter, "_ENTRIES_MAX", 10)
    async with redis_cache(RedisServer(lambda: server.url), "acme") as cache:
        for number in range(25):
            await cache.put("1", f"{number}", b"found")
        await cache.put("1", "large", b"x" * 70_000)
        assert await cache.get("1", "large") is None
        with redis.Redis(port=server.port) as admin:
            key = f"{names.prefix('acme')}results"
            assert admin.hlen(key) <= 11
            assert 0 < admin.ttl(key) <= 300
            assert admin.keys("*") == [key.encode()]


async def test_queries_and_tenants_are_apart(server: Redis) -> None:
    at = RedisServer(lambda: server.url)
    async with redis_cache(at, "acme") as acme, redis_cache(at, "mallory") as mallory:
        await acme.put("1", "otter", b"acme's")
        assert await mallory.get("1", "otter") is None
        await mallory.clear()
        assert await acme.get("1", "otter") == b"acme's"
        with redis.Redis(port=server.port) as admin:
            assert not any(b"otter" in field for field in admin.hkeys(f"{names.prefix('acme')}results"))


async def test_a_changed_password_is_read_for_the_next_connection(server: Redis) -> None:
    with redis.Redis(port=server.port) as admin:
        admin.execute_command("ACL SETUSER pod on >one ~* +@all")
        current = ["one"]
        at = RedisServer(lambda: f"redis://pod:{current[0]}@127.0.0.1:{server.port}/0")
        async with redis_cache(at, "acme") as cache:
            await cache.check()
            admin.execute_command("ACL SETUSER pod resetpass >two")
            current[0] = "two"
            admin.execute_command("CLIENT KILL USER pod")
            with contextlib.suppress(StoreUnavailableError):
                await cache.check()  # the connection that was ended
            await cache.check()


async def until_kept(cache: RedisCache) -> None:
    """Put a result until it is kept."""
    async with asyncio.timeout(30):
        await cache.put("1", "otter", b"found")
        while await cache.get("1", "otter") is None:
            await asyncio.sleep(0.05)
            await cache.put("1", "otter", b"found")


@contextlib.asynccontextmanager
async def in_use(caches: Sequence[RedisCache]) -> AsyncIterator[None]:
    """Use all caches all the time; none may return anything but what was put."""

    async def use(cache: RedisCache, number: int) -> None:
        while True:
            await cache.put("1", "busy", b"%d" % number)
            assert await cache.get("1", "busy") in {None, b"%d" % number}
            await asyncio.sleep(0.01)

    tasks = [asyncio.create_task(use(cache, number)) for number, cache in enumerate(caches)]
    try:
        yield
        assert not any(task.done() for task in tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@contextlib.asynccontextmanager
async def caches_of(cluster: RedisCluster) -> AsyncIterator[list[RedisCache]]:
    async with contextlib.AsyncExitStack() as stack:
        at = RedisServer(lambda: cluster.url, is_cluster=True)
        yield [await stack.enter_async_context(redis_cache(at, tenant)) for tenant in TENANTS]


def move(slot: int, source: Node, target: Node, others: Sequence[Node]) -> None:
    """Move one slot with its keys, as `redis-cli --cluster reshard` does."""
    ids = {node.port: node.call("CLUSTER", "MYID") for node in (source, target)}
    target.call("CLUSTER", "SETSLOT", slot, "IMPORTING", ids[source.port])
    source.call("CLUSTER", "SETSLOT", slot, "MIGRATING", ids[target.port])
    while keys := source.call("CLUSTER", "GETKEYSINSLOT", slot, 100):
        source.call("MIGRATE", "127.0.0.1", target.port, "", 0, 5_000, "REPLACE", "KEYS", *keys)
    for node in (target, source, *others):
        node.call("CLUSTER", "SETSLOT", slot, "NODE", ids[target.port])


async def test_every_tenant_s_cache_works_after_slots_moved_and_a_primary_was_lost(
    cluster: RedisCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adapter, "_PAUSE_SECONDS", 0.1)
    source, target, other = cluster.primaries
    async with caches_of(cluster) as caches, in_use(caches):
        for cache in caches:
            await until_kept(cache)
        slots = {source.call("CLUSTER", "KEYSLOT", names.prefix(tenant)) for tenant in TENANTS}
        moving = [slot for slot in slots if slot < 16_384 // 3]
        assert moving
        for slot in moving:
            await asyncio.to_thread(move, slot, source, target, [other])
        for cache in caches:
            await until_kept(cache)
        target.process.kill()
        for cache in caches:
            await until_kept(cache)
            await cache.check()
