"""Fallback for shared buckets that are unavailable.

After a failed call to the shared buckets, the fallback decides for a fixed pause, after which the shared buckets are
tried again. An outage therefore costs one timeout per pause instead of one per request.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from loci_contract.registry import Limits
from loci_policy.buckets.bucket import Buckets, BucketsUnavailableError, Verdict


class NoBuckets:
    """Fallback that denies all requests."""

    async def take(self, tenant: str, limits: Limits, cost: int) -> Verdict:  # noqa: ARG002 - the Protocol's arguments
        """Always raise BucketsUnavailableError."""
        raise BucketsUnavailableError("the shared buckets are unavailable")


class BucketsWithFallback:
    """Uses the shared buckets, or a fallback while they are unavailable."""

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
        """Take tokens from the shared buckets or the fallback."""
        if self._clock() >= self._resume_at:
            try:
                return await self._shared.take(tenant, limits, cost)
            except BucketsUnavailableError:
                self._resume_at = self._clock() + self._pause
                self._on_failure()
        return await self._fallback.take(tenant, limits, cost)
