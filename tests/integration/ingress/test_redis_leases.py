"""Leased tokens on a real Redis: never more than the bucket holds, and given back when unused."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from loci_contract.registry import Limits
from loci_dev.rigs import redis as local_redis
from loci_dev.rigs.processes import free_port
from loci_dev.rigs.tenants import LIMITS
from loci_policy.buckets.leases import RedisLeases
from loci_policy.buckets.redis import RedisBuckets, redis_client

SLOW = LIMITS.model_copy(update={"requests_per_minute": 1, "burst": 100})


@pytest.fixture
async def redis(redis_server: local_redis.Redis) -> AsyncIterator[Redis]:
    async with redis_client(redis_server.url, timeout=1) as client:
        await client.flushall()
        await RedisBuckets(client, timeout=1).load()
        yield client


async def remaining(redis: Redis, limits: Limits = SLOW) -> int:
    return (await RedisBuckets(redis, timeout=1).take("acme", limits, 1)).remaining


async def test_leased_tokens_are_gone_from_the_bucket(redis: Redis) -> None:
    assert await RedisLeases(redis, timeout=1).lease("acme", SLOW, 30) == 30
    assert await remaining(redis) == 69


async def test_a_lease_leaves_half_to_others(redis: Redis) -> None:
    leases = RedisLeases(redis, timeout=1)
    assert [await leases.lease("acme", SLOW, 80) for _ in range(3)] == [50, 25, 12]


@pytest.mark.invariant(3)
async def test_leases_and_requests_together_never_exceed_the_burst(redis: Redis) -> None:
    leases, buckets = RedisLeases(redis, timeout=1), RedisBuckets(redis, timeout=1)
    leased = asyncio.gather(*(leases.lease("acme", SLOW, 7) for _ in range(50)))
    taken = asyncio.gather(*(buckets.take("acme", SLOW, 1) for _ in range(200)))
    assert sum(await leased) + sum(verdict.allowed for verdict in await taken) == SLOW.burst


async def test_tokens_that_were_not_used_come_back(redis: Redis) -> None:
    leases = RedisLeases(redis, timeout=1)
    await leases.give_back("acme", SLOW, await leases.lease("acme", SLOW, 30), "one")
    assert await remaining(redis) == 99


@pytest.mark.invariant(3)
async def test_a_return_that_is_repeated_counts_once(redis: Redis) -> None:
    leases = RedisLeases(redis, timeout=1)
    await leases.lease("acme", SLOW, 30)
    for once in ("one", "one", "another"):
        await leases.give_back("acme", SLOW, 10, once)
    assert await remaining(redis) == 89


@pytest.mark.invariant(3)
async def test_giving_back_never_overfills_a_bucket(redis: Redis) -> None:
    await RedisLeases(redis, timeout=1).give_back("acme", SLOW, 1_000, "one")
    assert await remaining(redis) == 99


async def test_without_redis_there_is_no_lease() -> None:
    async with redis_client(f"redis://127.0.0.1:{free_port()}/0", timeout=0.05) as client:
        assert await RedisLeases(client, timeout=0.05).lease("acme", SLOW, 10) == 0
