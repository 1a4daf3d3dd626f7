"""The Redis Function on a real Redis: exact under concurrency, alike the arithmetic in process, and self-healing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from loci_contract.registry import Limits
from loci_dev.rigs import redis as local_redis
from loci_dev.rigs.processes import free_port
from loci_dev.rigs.tenants import LIMITS
from loci_policy.buckets.bucket import BucketsUnavailableError
from loci_policy.buckets.memory import LocalBuckets
from loci_policy.buckets.redis import RedisBuckets, redis_client

SLOW = LIMITS.model_copy(update={"requests_per_minute": 1, "burst": 50})


@pytest.fixture
async def redis(redis_server: local_redis.Redis) -> AsyncIterator[Redis]:
    async with redis_client(redis_server.url, timeout=1) as client:
        await client.flushall()
        yield client


async def admitted(buckets: RedisBuckets, tenant: str, limits: Limits, times: int) -> int:
    verdicts = await asyncio.gather(*(buckets.take(tenant, limits, 1) for _ in range(times)))
    return sum(verdict.allowed for verdict in verdicts)


@pytest.mark.invariant(3)
async def test_many_at_once_get_exactly_the_burst(redis: Redis, redis_server: local_redis.Redis) -> None:
    async with redis_client(redis_server.url, timeout=1) as other:
        first, second = RedisBuckets(redis, timeout=1), RedisBuckets(other, timeout=1)
        counts = await asyncio.gather(admitted(first, "acme", SLOW, 400), admitted(second, "acme", SLOW, 400))
    assert sum(counts) == SLOW.burst


async def test_says_what_the_bucket_in_process_says(redis: Redis) -> None:
    shared, local = RedisBuckets(redis, timeout=1), LocalBuckets()
    for cost in (1, 20, 20, 20, 9, 1):
        ours, theirs = await shared.take("acme", SLOW, cost), await local.take("acme", SLOW, cost)
        assert (ours.allowed, ours.remaining) == (theirs.allowed, theirs.remaining)
        assert ours.retry_after == pytest.approx(theirs.retry_after, abs=1)
        assert ours.reset_after == pytest.approx(theirs.reset_after, abs=1)


async def test_those_that_wait_together_are_served_in_the_order_in_which_they_came(redis: Redis) -> None:
    few = LIMITS.model_copy(update={"requests_per_minute": 1, "burst": 5})
    buckets = RedisBuckets(redis, timeout=1)
    verdicts = await asyncio.gather(*(buckets.take("acme", few, 1) for _ in range(7)))
    assert [verdict.allowed for verdict in verdicts] == [True] * 5 + [False] * 2
    assert [verdict.remaining for verdict in verdicts] == [4, 3, 2, 1, 0, 0, 0]
    assert [verdict.retry_after > 0 for verdict in verdicts] == [False] * 5 + [True] * 2


async def test_tenants_that_wait_together_share_no_token(redis: Redis) -> None:
    buckets = RedisBuckets(redis, timeout=1)
    both = await asyncio.gather(*(admitted(buckets, tenant, SLOW, 60) for tenant in ("acme", "other")))
    assert both == [SLOW.burst, SLOW.burst]


async def test_tokens_come_back_with_time(redis: Redis) -> None:
    fast = LIMITS.model_copy(update={"requests_per_minute": 60_000, "burst": 1})
    buckets = RedisBuckets(redis, timeout=1)
    async with asyncio.timeout(5):
        passed = 0
        while passed < 20:
            passed += (await buckets.take("acme", fast, 1)).allowed


async def test_a_full_bucket_is_not_kept_for_ever(redis: Redis) -> None:
    await RedisBuckets(redis, timeout=1).take("acme", LIMITS, 10)
    assert await redis.keys() == ["b:{acme}"]
    assert 0 < await redis.pttl("b:{acme}") <= 2_000


async def test_a_lost_function_is_loaded_again(redis: Redis) -> None:
    buckets = RedisBuckets(redis, timeout=1)
    await buckets.load()
    await redis.function_flush()
    assert await admitted(buckets, "acme", SLOW, 60) == SLOW.burst


async def test_no_redis_is_said_in_time() -> None:
    async with redis_client(f"redis://127.0.0.1:{free_port()}/0", timeout=0.05) as client:
        buckets = RedisBuckets(client, timeout=0.05)
        with pytest.raises(BucketsUnavailableError):
            await buckets.take("acme", LIMITS, 1)
        with pytest.raises(BucketsUnavailableError):
            await buckets.load()
