"""Token buckets: capacity `burst`, refill `requests_per_minute / 60` a second. The arithmetic, and buckets in process.

The Redis Function in `buckets.lua` does the same arithmetic on the server's clock.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from loci_contract.registry import Limits


class BucketsUnavailableError(Exception):
    """Nobody can say whether a request is within its tenant's rate."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a bucket says to one request."""

    allowed: bool
    remaining: int
    """Whole tokens left."""
    retry_after: float
    """Seconds until the same request would pass; 0 when it passed."""
    reset_after: float
    """Seconds until the bucket is full."""
    degraded: bool = False
    """Whether this process judged alone because the shared buckets could not be reached."""


class Buckets(Protocol):
    """Where a tenant's tokens are taken from."""

    async def take(self, tenant: str, limits: Limits, cost: int) -> Verdict:
        """Take `cost` tokens if they are there; BucketsUnavailableError when nobody can tell."""


@dataclass(frozen=True, slots=True)
class Bucket:
    """Tokens at a moment, in seconds of some clock."""

    tokens: float
    at: float


def take(bucket: Bucket | None, capacity: float, rate: float, cost: int, now: float) -> tuple[Bucket, Verdict]:
    """The bucket after a request and what it says; a bucket not seen before is full, a clock set back adds nothing."""
    tokens = capacity
    if bucket is not None:
        tokens = min(capacity, bucket.tokens + max(0.0, now - bucket.at) * rate)
    allowed = tokens >= cost
    if allowed:
        tokens -= cost
    retry_after = 0.0 if allowed else (cost - tokens) / rate
    return Bucket(tokens, now), Verdict(allowed, int(tokens), retry_after, (capacity - tokens) / rate)


class LocalBuckets:
    """Buckets of this process alone, each with this process's share of the tenant's limits."""

    def __init__(
        self, replicas: int = 1, *, degraded: bool = False, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._replicas = replicas
        self._degraded = degraded
        self._clock = clock
        self._buckets: dict[str, Bucket] = {}

    async def take(self, tenant: str, limits: Limits, cost: int) -> Verdict:
        """Take tokens from the tenant's bucket in this process."""
        capacity = max(1.0, limits.burst / self._replicas)
        rate = limits.requests_per_minute / 60 / self._replicas
        bucket, verdict = take(self._buckets.get(tenant), capacity, rate, cost, self._clock())
        self._buckets[tenant] = bucket
        if not self._degraded:
            return verdict
        return Verdict(verdict.allowed, verdict.remaining, verdict.retry_after, verdict.reset_after, degraded=True)


class NoBuckets:
    """The fallback that admits nobody."""

    async def take(self, tenant: str, limits: Limits, cost: int) -> Verdict:  # noqa: ARG002 - the Protocol's arguments
        """Refuse to judge."""
        raise BucketsUnavailableError("the shared buckets cannot be reached")


class BucketsWithFallback:
    """Shared buckets while they answer; else a fallback, asking the shared ones again after a pause."""

    def __init__(
        self,
        shared: Buckets,
        fallback: Buckets,
        *,
        pause: float = 1.0,
        on_failure: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._shared = shared
        self._fallback = fallback
        self._pause = pause
        self._on_failure = on_failure
        self._clock = clock
        self._resume_at = 0.0

    async def take(self, tenant: str, limits: Limits, cost: int) -> Verdict:
        """Take tokens from the first buckets that can answer."""
        if self._clock() >= self._resume_at:
            try:
                return await self._shared.take(tenant, limits, cost)
            except BucketsUnavailableError:
                self._resume_at = self._clock() + self._pause
                self._on_failure()
        return await self._fallback.take(tenant, limits, cost)
