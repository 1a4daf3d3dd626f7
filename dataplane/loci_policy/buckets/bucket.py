"""A token bucket has the capacity `burst` and is refilled with `requests_per_minute / 60` tokens a second.

The port, and the arithmetic that its adapters share. The Redis Function in `redis.lua` computes the same on the
server's clock.
"""

from __future__ import annotations

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
