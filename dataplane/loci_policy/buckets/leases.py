"""Decision leases: tokens taken beforehand, with which Envoy admits the next requests of a credential by itself.

A lease is about a tenth of a second of the tenant's recent use, at most a fiftieth of its burst capacity, never more
than half of the tokens that are left; a tenant with a small burst capacity gets none, so that its limit stays exact.
Leased tokens are gone from the bucket, so the requests admitted never exceed burst + rate x time. Unused ones are given
back with the next renewal; those of an Envoy worker that crashes or gets no further request are lost, which is at most
one lease for each credential and worker. The cost is one call to Redis for each lease instead of each request.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from cachetools import TTLCache
from redis.asyncio import Redis
from redis.exceptions import RedisError

from loci_contract.registry import Limits

LEASE_MS: Final = 250
"""How long a lease is valid, milliseconds: well below the second within which a revoked key must be refused."""
_SHARE_OF_BURST: Final = 50
_SECONDS: Final = 0.1
_DECAY_SECONDS: Final = 0.5
_TENANTS_MAX: Final = 100_000
_FORGET_SECONDS: Final = 10


class Leases(Protocol):
    """Where tokens for leases come from."""

    async def lease(self, tenant: str, limits: Limits, most: int) -> int:
        """Take up to `most` tokens, at most half of what is left; 0 when the buckets cannot be reached."""

    async def give_back(self, tenant: str, limits: Limits, tokens: int, once: str) -> None:
        """Return leased tokens that were not used; they are lost when the buckets cannot be reached.

        `once` identifies the return: a second one of the same name within 5 s is ignored.
        """


class RedisLeases:
    """Leases of the shared buckets, by the function library that `RedisBuckets` loads."""

    def __init__(self, client: Redis, timeout: float) -> None:
        self._client = client
        self._timeout = timeout

    async def lease(self, tenant: str, limits: Limits, most: int) -> int:
        """Take tokens."""
        return await self._call(tenant, limits, most)

    async def give_back(self, tenant: str, limits: Limits, tokens: int, once: str) -> None:
        """Return tokens."""
        await self._call(tenant, limits, -tokens, f"b:{{{tenant}}}:returned:{once}")

    async def _call(self, tenant: str, limits: Limits, tokens: int, *more_keys: str) -> int:
        keys = (f"b:{{{tenant}}}", *more_keys)
        asked = f"{limits.burst} {limits.requests_per_minute} {tokens}"
        try:
            async with asyncio.timeout(self._timeout):
                return int(await self._client.fcall("loci_lease", len(keys), *keys, asked))
        except (RedisError, OSError, TimeoutError):
            return 0


@dataclass(slots=True)
class _Use:
    """A tenant's use of tokens: an exponentially decaying rate, in tokens per second, at a moment."""

    rate: float
    at: float


class LeaseSizes:
    """How many tokens the next lease of each tenant should have, from its recent use."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._used: TTLCache[str, _Use] = TTLCache(_TENANTS_MAX, _FORGET_SECONDS, timer=clock)

    def note(self, tenant: str, tokens: int) -> None:
        """Count tokens that a tenant used; negative for those that it gave back."""
        now = self._clock()
        self._used[tenant] = _Use(max(0.0, self._rate(tenant, now) + tokens / _DECAY_SECONDS), now)

    def size(self, tenant: str, limits: Limits) -> int:
        """The size of the tenant's next lease; 0 for none."""
        return min(int(self._rate(tenant, self._clock()) * _SECONDS), limits.burst // _SHARE_OF_BURST)

    def _rate(self, tenant: str, now: float) -> float:
        use = self._used.get(tenant)
        return use.rate * math.exp((use.at - now) / _DECAY_SECONDS) if use else 0.0
