"""How large a lease is: as a tenant used its tokens lately, and never so large that it blurs the limit."""

from __future__ import annotations

import pytest

from loci_dev.rigs.tenants import LIMITS
from loci_policy.buckets.leases import LeaseSizes

LARGE = LIMITS.model_copy(update={"burst": 10_000})


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def use(sizes: LeaseSizes, clock: Clock, per_second: int, seconds: int) -> None:
    for _ in range(10 * seconds):
        sizes.note("acme", per_second // 10)
        clock.now += 0.1


def test_a_lease_is_a_tenth_of_a_second_of_recent_use(clock: Clock) -> None:
    sizes = LeaseSizes(clock)
    use(sizes, clock, per_second=1_000, seconds=5)
    assert sizes.size("acme", LARGE) == pytest.approx(100, rel=0.2)


def test_a_tenant_at_rest_gets_no_lease(clock: Clock) -> None:
    sizes = LeaseSizes(clock)
    assert sizes.size("acme", LARGE) == 0
    use(sizes, clock, per_second=1_000, seconds=5)
    clock.now += 5
    assert sizes.size("acme", LARGE) == 0


def test_tokens_that_came_back_do_not_count_as_used(clock: Clock) -> None:
    sizes = LeaseSizes(clock)
    for _ in range(50):
        sizes.note("acme", 100)
        sizes.note("acme", -99)
        clock.now += 0.1
    assert sizes.size("acme", LARGE) <= 1


@pytest.mark.parametrize(("burst", "largest"), [(20, 0), (49, 0), (100, 2), (1_000, 20)])
def test_a_small_limit_stays_exact(clock: Clock, burst: int, largest: int) -> None:
    sizes = LeaseSizes(clock)
    use(sizes, clock, per_second=100_000, seconds=5)
    assert sizes.size("acme", LIMITS.model_copy(update={"burst": burst})) == largest
