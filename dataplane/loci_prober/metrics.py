"""Prometheus metrics of the prober."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge

HELD: Final = "held"
BREACHED: Final = "breached"
FAILED: Final = "failed"


class Metrics:
    """Metric families in a collector registry."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._breached = Gauge(
            "loci_isolation_breached",
            "1 if an attempt reached another tenant's data in the last round, by attempt.",
            ["attempt"],
            registry=registry,
        )
        self._rounds = Counter(
            "loci_isolation_rounds",
            "Rounds of attempts, by result: held, breached, failed (nothing was proved).",
            ["result"],
            registry=registry,
        )
        self._proved = Gauge(
            "loci_isolation_last_round_timestamp_seconds",
            "When a round last proved something, seconds since 1970; 0 before the first one.",
            registry=registry,
        )
        for result in (HELD, BREACHED, FAILED):
            self._rounds.labels(result)

    def proved(self, breached: Mapping[str, bool], now: float) -> None:
        """Record a complete round."""
        for attempt, is_breached in breached.items():
            self._breached.labels(attempt).set(is_breached)
        self._rounds.labels(BREACHED if any(breached.values()) else HELD).inc()
        self._proved.set(now)

    def failed(self) -> None:
        """Record a round that proved nothing."""
        self._rounds.labels(FAILED).inc()
