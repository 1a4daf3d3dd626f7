"""Token bucket with capacity `burst`, refilled with `requests_per_minute / 60` tokens per second.

This module contains the port and the arithmetic for local buckets. The Redis Function in `redis.lua` implements the
same algorithm with the server's clock. A bucket costs two numbers and constant time per request.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from loci_contract.registry import Limits


class BucketsUnavailableError(Exception):
    """The token buckets are unavailable."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Verdict of a bucket on one request."""

    allowed: bool
    remaining: int
    """Whole tokens left."""
    retry_after: float
    """Seconds until the same request would be admitted; 0 if it was."""
    reset_after: float
    """Seconds until the bucket is full."""
    degraded: bool = False
    """Whether a local bucket decided because the shared buckets were unavailable."""


class Buckets(Protocol):
    """Port to the token buckets of tenants."""

    async def take(self, tenant: str, limits: Limits, cost: int) -> Verdict:
        """Take `cost` tokens if available; raises BucketsUnavailableError if the buckets cannot be reached."""


@dataclass(frozen=True, slots=True)
class Bucket:
    """Tokens at a point in time, in seconds of a clock with arbitrary origin."""

    tokens: float
    at: float


def take(bucket: Bucket | None, capacity: float, rate: float, cost: int, now: float) -> tuple[Bucket, Verdict]:
    """The bucket after a request, and its verdict. A new bucket is full; a clock that goes backwards adds no tokens."""
    tokens = capacity
    if bucket is not None:
        tokens = min(capacity, bucket.tokens + max(0.0, now - bucket.at) * rate)
    allowed = tokens >= cost
    if allowed:
        tokens -= cost
    retry_after = 0.0 if allowed else (cost - tokens) / rate
    return Bucket(tokens, now), Verdict(allowed, int(tokens), retry_after, (capacity - tokens) / rate)
