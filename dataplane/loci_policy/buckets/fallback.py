"""What decides while the shared buckets cannot be reached."""

from __future__ import annotations

import time
from collections.abc import Callable

from loci_contract.registry import Limits
from loci_policy.buckets.bucket import Buckets, BucketsUnavailableError, Verdict


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
