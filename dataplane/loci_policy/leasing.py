"""Offers Envoy a lease with the response to a request that passes; `charts/loci/files/leases.lua` serves from it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from loci_contract.registry import Limits
from loci_policy.buckets.leases import LEASE_MS, Leases, LeaseSizes
from loci_policy.metrics import Metrics
from loci_policy.table import Grant, Headers

_UNUSED_MAX: Final = 1_000_000
_RATE_HEADERS: Final = (b"x-ratelimit-limit", b"x-ratelimit-remaining", b"x-ratelimit-reset")


@dataclass(frozen=True, slots=True)
class Unused:
    """Leased tokens, decimal, that come back with a request; Envoy may send the same request twice."""

    tokens: str
    request_id: str


class Leasing:
    """Takes tokens for the requests to come, and words the lease for Envoy."""

    def __init__(self, leases: Leases, sizes: LeaseSizes, metrics: Metrics) -> None:
        self._leases = leases
        self._sizes = sizes
        self._metrics = metrics

    async def offer(self, grant: Grant, client_headers: Headers, unused: Unused, now: datetime) -> bytes | None:
        """The lease for a request that passed, or None for no lease.

        Args:
            grant: what the request's key grants.
            client_headers: the rate-limit headers of the response.
            unused: leased tokens that the asking worker could not use in time.
            now: the current time, aware.
        """
        tenant, limits = grant.record.tenant, grant.record.limits
        self._sizes.note(tenant, 1)
        if unused.tokens != "0":
            await self._take_back(tenant, limits, unused)
        told, milliseconds = dict(client_headers), _milliseconds(grant, now)
        size = self._sizes.size(tenant, limits)
        if size < 1 or milliseconds < 1 or b"x-ratelimit-mode" in told:
            return None
        tokens = await self._leases.lease(tenant, limits, size)
        if not tokens:
            return None
        self._sizes.note(tenant, tokens)
        self._metrics.leased.inc(tokens)
        return _text(grant, told, tokens, milliseconds, now)

    async def _take_back(self, tenant: str, limits: Limits, unused: Unused) -> None:
        tokens = min(int(unused.tokens), _UNUSED_MAX) if unused.tokens.isdecimal() else 0
        self._sizes.note(tenant, -tokens)
        self._metrics.returned.inc(tokens)
        await self._leases.give_back(tenant, limits, tokens, unused.request_id)


def _milliseconds(grant: Grant, now: datetime) -> int:
    """How long a lease of this key may be valid: it ends with the key."""
    if grant.key.expires_at is None:
        return LEASE_MS
    return min(LEASE_MS, int((grant.key.expires_at - now).total_seconds() * 1000))


def _text(grant: Grant, told: dict[bytes, bytes], tokens: int, milliseconds: int, now: datetime) -> bytes:
    """Fields separated by spaces, in the order in which `leases.lua` reads them."""
    limit, remaining, reset = (int(told[name]) for name in _RATE_HEADERS)
    numbers = (tokens, milliseconds, limit, max(0, remaining - tokens), max(0, reset - int(now.timestamp())))
    values = [value for _, value in grant.upstream_headers]
    costs = ",".join(f"{operation}={cost}" for operation, cost in grant.record.costs.items()) or "-"
    return b" ".join([*(b"%d" % number for number in numbers), *values, costs.encode(), told[b"ratelimit-policy"]])
