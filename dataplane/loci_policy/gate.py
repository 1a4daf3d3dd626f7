"""The whole way of one request through the policy: the decision, then its tenant's bucket.

The decision reads the table in memory; the bucket is one round trip to Redis, shared by the requests of a tenant that
wait together. It fails closed: when the bucket cannot be asked or anything unexpected is raised, the response is 503.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import structlog

from loci_contract.registry import RegistryRecord
from loci_contract.routes import Route
from loci_policy.buckets.bucket import Buckets, BucketsUnavailableError
from loci_policy.cors import Cors
from loci_policy.decision import Deny, Options, Outcome, Request, decide
from loci_policy.metrics import Metrics
from loci_policy.responses import Response, limited, options, rate_headers, refused, unavailable
from loci_policy.table import Grant, Headers, Table


def utc_now() -> datetime:
    """The current time."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Pass:
    """The request is routed to its tenant with the grant's headers; `client_headers` are added to the response."""

    grant: Grant
    client_headers: Headers
    operation: str

    def adding(self, headers: Headers) -> Pass:
        """The same with more headers for the client."""
        return replace(self, client_headers=(*self.client_headers, *headers)) if headers else self


class Gate:
    """Decides on requests."""

    def __init__(
        self,
        table: Table,
        buckets: Buckets,
        metrics: Metrics,
        cors: Cors | None = None,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self.table = table
        self.metrics = metrics
        self._buckets = buckets
        self._cors = cors or Cors()
        self._now = now
        self._log = structlog.get_logger()

    async def admit(self, request: Request, request_id: str) -> Pass | Response:
        """Let a request pass, or respond to it."""
        try:
            decision = await self._admit(request, request_id)
        except BucketsUnavailableError:
            self.metrics.errors.inc()
            decision = unavailable(request_id)
        except Exception as error:  # noqa: BLE001 - the edge: the unexpected must deny
            self.metrics.errors.inc()
            self._log.error("decision failed", request_id=request_id, error=type(error).__name__)
            decision = unavailable(request_id)
        return decision.adding(self._cors.response_headers(request.origin))

    async def _admit(self, request: Request, request_id: str) -> Pass | Response:
        now = self._now()
        match decide(request, self.table, now):
            case Deny() as deny:
                self.metrics.decisions[deny.outcome].inc()
                return refused(deny, request_id)
            case Options(resource):
                self.metrics.decisions[Outcome.OPTIONS].inc()
                return options(resource).adding(self._cors.preflight_headers(request.origin, resource))
            case allowed:
                self.metrics.decisions[Outcome.ALLOWED].inc()
        record, operation = allowed.grant.record, allowed.route.operation
        verdict = await self._buckets.take(record.tenant, record.limits, _cost(record, allowed.route))
        self.metrics.rate_limited(verdict)
        if not verdict.allowed:
            return replace(limited(record.limits, verdict, request_id, now), operation=operation)
        return Pass(allowed.grant, rate_headers(record.limits, verdict, now), operation)


def _cost(record: RegistryRecord, route: Route) -> int:
    """Tokens that a request takes; no more than a full bucket holds, or it could never pass."""
    return min(record.limits.burst, record.costs.get(route.operation, route.cost))
