"""The whole way of one request through the policy: decision, then bucket; whatever goes wrong, nobody passes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog

from loci_policy.buckets.bucket import Buckets, BucketsUnavailableError
from loci_policy.decision import Deny, Outcome, Request, decide
from loci_policy.metrics import Metrics
from loci_policy.responses import Answer, limited, rate_headers, refused, unavailable
from loci_policy.table import Grant, Headers, Table


def utc_now() -> datetime:
    """The present moment."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Pass:
    """The request goes on to its tenant with the grant's headers; `client_headers` go with the answer."""

    grant: Grant
    client_headers: Headers


class Gate:
    """Decides on requests."""

    def __init__(self, table: Table, buckets: Buckets, metrics: Metrics, now: Callable[[], datetime] = utc_now) -> None:
        self.table = table
        self.metrics = metrics
        self._buckets = buckets
        self._now = now
        self._log = structlog.get_logger()

    async def admit(self, request: Request, request_id: str) -> Pass | Answer:
        """Let a request pass, or answer it."""
        try:
            return await self._admit(request, request_id)
        except BucketsUnavailableError:
            self.metrics.errors.inc()
        except Exception as error:  # noqa: BLE001 - the edge: the unexpected must deny
            self.metrics.errors.inc()
            self._log.error("decision failed", request_id=request_id, error=type(error).__name__)
        return unavailable(request_id)

    async def _admit(self, request: Request, request_id: str) -> Pass | Answer:
        now = self._now()
        decision = decide(request, self.table, now)
        if isinstance(decision, Deny):
            self.metrics.decisions[decision.outcome].inc()
            return refused(decision, request_id)
        self.metrics.decisions[Outcome.ALLOWED].inc()
        record = decision.grant.record
        verdict = await self._buckets.take(record.tenant, record.limits, decision.cost)
        self.metrics.rate_limited(verdict)
        if not verdict.allowed:
            return limited(record.limits, verdict, request_id, now)
        return Pass(decision.grant, rate_headers(record.limits, verdict, now))
