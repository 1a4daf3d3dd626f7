"""Token buckets in the memory of this process."""

from __future__ import annotations

import time
from collections.abc import Callable

from loci_contract.registry import Limits
from loci_policy.buckets.bucket import Bucket, Verdict, take


class LocalBuckets:
    """Local buckets, each with this process's share of the tenant's limits."""

    def __init__(
        self, replicas: int = 1, *, degraded: bool = False, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._replicas = replicas
        self._degraded = degraded
        self._clock = clock
        self._buckets: dict[str, Bucket] = {}

    async def take(self, tenant: str, limits: Limits, cost: int) -> Verdict:
        """Take tokens from the tenant's local bucket."""
        capacity = max(1.0, limits.burst / self._replicas)
        rate = limits.requests_per_minute / 60 / self._replicas
        affordable = min(cost, int(capacity))
        bucket, verdict = take(self._buckets.get(tenant), capacity, rate, affordable, self._clock())
        self._buckets[tenant] = bucket
        if not self._degraded:
            return verdict
        return Verdict(verdict.allowed, verdict.remaining, verdict.retry_after, verdict.reset_after, degraded=True)
