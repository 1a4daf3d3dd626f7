"""The bucket's bound as a property, and who judges when the shared buckets are gone."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loci_contract.registry import Limits
from loci_dev.rigs.tenants import LIMITS
from loci_policy.buckets.bucket import Bucket, BucketsUnavailableError, Verdict, take
from loci_policy.buckets.fallback import BucketsWithFallback, NoBuckets
from loci_policy.buckets.memory import LocalBuckets

STEPS = st.lists(st.tuples(st.floats(0, 30), st.integers(1, 5)), max_size=200)


@pytest.mark.invariant(3)
@given(capacity=st.integers(1, 50), rate=st.floats(0.01, 100), steps=STEPS)
def test_admits_at_most_burst_plus_rate_times_time(capacity: int, rate: float, steps: list[tuple[float, int]]) -> None:
    bucket, now, admitted = None, 0.0, 0
    for pause, cost in steps:
        now += pause
        bucket, verdict = take(bucket, capacity, rate, cost, now)
        admitted += cost if verdict.allowed else 0
        assert admitted <= capacity + rate * now + 1e-6
        assert 0 <= verdict.remaining <= capacity


@given(capacity=st.integers(5, 50), rate=st.floats(0.01, 100), steps=STEPS)
def test_retry_after_is_just_long_enough(capacity: int, rate: float, steps: list[tuple[float, int]]) -> None:
    bucket, now = None, 0.0
    for pause, cost in steps:
        now += pause
        bucket, verdict = take(bucket, capacity, rate, cost, now)
        assert (verdict.retry_after == 0) is verdict.allowed
        if not verdict.allowed:
            _, later = take(bucket, capacity, rate, cost, now + verdict.retry_after + 1e-6)
            assert later.allowed


def test_a_clock_set_back_adds_nothing() -> None:
    bucket, verdict = take(Bucket(tokens=0, at=100), 10, 1, 1, 50)
    assert not verdict.allowed
    assert bucket == Bucket(0, 50)


def test_a_lowered_burst_counts_at_once() -> None:
    _, verdict = take(Bucket(tokens=100, at=0), 10, 1, 1, 0)
    assert verdict.remaining == 9


@dataclass
class Clock:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Shared:
    fails: bool = False
    calls: list[str] = field(default_factory=list)

    async def take(self, tenant: str, limits: Limits, cost: int) -> Verdict:
        self.calls.append(tenant)
        if self.fails:
            raise BucketsUnavailableError
        return Verdict(allowed=True, remaining=limits.burst - cost, retry_after=0, reset_after=0)


async def test_a_local_bucket_holds_its_share_of_the_limits() -> None:
    buckets = LocalBuckets(replicas=4, clock=Clock())
    verdicts = [await buckets.take("acme", LIMITS, 1) for _ in range(LIMITS.burst)]
    assert sum(verdict.allowed for verdict in verdicts) == LIMITS.burst // 4


async def test_tenants_have_buckets_of_their_own() -> None:
    limits = LIMITS.model_copy(update={"burst": 1})
    buckets = LocalBuckets(clock=Clock())
    assert (await buckets.take("acme", limits, 1)).allowed
    assert not (await buckets.take("acme", limits, 1)).allowed
    assert (await buckets.take("other", limits, 1)).allowed


async def test_the_fallback_judges_and_says_so_while_the_shared_buckets_are_gone() -> None:
    clock, shared, failures = Clock(), Shared(fails=True), []
    fallback = LocalBuckets(degraded=True, clock=clock)
    buckets = BucketsWithFallback(shared, fallback, on_failure=lambda: failures.append(1), clock=clock)
    assert (await buckets.take("acme", LIMITS, 1)).degraded
    assert failures == [1]


async def test_the_shared_buckets_are_asked_again_after_a_pause() -> None:
    clock, shared = Clock(), Shared(fails=True)
    buckets = BucketsWithFallback(shared, LocalBuckets(degraded=True, clock=clock), pause=1, clock=clock)
    await buckets.take("acme", LIMITS, 1)
    shared.fails = False
    clock.now = 0.9
    assert (await buckets.take("acme", LIMITS, 1)).degraded
    assert len(shared.calls) == 1
    clock.now = 1.0
    assert not (await buckets.take("acme", LIMITS, 1)).degraded


async def test_without_a_fallback_nobody_can_tell() -> None:
    buckets = BucketsWithFallback(Shared(fails=True), NoBuckets(), clock=Clock())
    with pytest.raises(BucketsUnavailableError):
        await buckets.take("acme", LIMITS, 1)
