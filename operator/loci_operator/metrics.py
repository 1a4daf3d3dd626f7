"""The operator's metrics, and how they are counted. Labels hold kinds, verbs and outcomes; never a tenant's name."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from loci_kubernetes.lease import Leadership
from loci_operator.cluster.rollout import Rollout
from loci_operator.work_queue import WorkQueue
from loci_runtime.tracing import span

_BUCKETS = (0.001, 0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class Metrics:
    """All of them, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.duration = Histogram(
            "loci_operator_reconcile_duration_seconds",
            "Duration of one tenant's reconcile, by outcome (done, failed).",
            ["outcome"],
            registry=self.registry,
            buckets=_BUCKETS,
        )
        self.errors = self._counter(
            "reconcile_errors", "Reconciles that failed and are tried again, by error.", "error"
        )
        self.repairs = self._counter("drift_repairs", "Objects put right after others changed or deleted them.", "kind")
        self.calls = self._counter("api_calls", "Requests to the API server, by verb.", "verb")

    def count_call(self, verb: str) -> None:
        """Count a request to the API server."""
        self.calls.labels(verb).inc()

    def count_repair(self, kind: str) -> None:
        """Count an object that was put right."""
        self.repairs.labels(kind).inc()

    def timed(self, work: Callable[[str], Awaitable[None]]) -> Callable[[str], Awaitable[None]]:
        """The work, with its duration and failures counted, in a span."""

        async def counted(key: str) -> None:
            started, outcome = time.monotonic(), "failed"
            try:
                with span("reconcile") as reconciling:
                    reconciling.set(tenant_id=key)
                    await work(key)
                outcome = "done"
            finally:
                self.duration.labels(outcome).observe(time.monotonic() - started)

        return counted

    def show_queue(self, queue: WorkQueue) -> None:
        """Show the queue as it is when the metrics are read."""
        self._gauge("queue_depth", "Tenants that wait for their reconcile or are in it.", lambda: len(queue))
        self._gauge("queue_age_seconds", "Age of the reconcile that has waited longest.", lambda: queue.age)
        self._gauge(
            "queue_stalled_seconds", "Time since a reconcile last ended, while some wait.", lambda: queue.stalled
        )

    def show_leadership(self, leadership: Leadership) -> None:
        """Show whether this operator is the active one."""
        self._gauge("leading", "1 while this operator is the active one of its replicas.", lambda: leadership.is_held)

    def show_rollout(self, rollout: Rollout) -> None:
        """Show the waves of an update as they are when the metrics are read."""
        tenants = Gauge(
            "loci_operator_rollout_tenants",
            "Tenants whose pods are not up to date, by state: waiting, updating, failed (they stop the rollout).",
            ["state"],
            registry=self.registry,
        )
        tenants.labels("waiting").set_function(lambda: len(rollout.wave.waiting))
        tenants.labels("updating").set_function(lambda: len(rollout.wave.updating))
        tenants.labels("failed").set_function(lambda: len(rollout.wave.failed))
        self._gauge("rollout_paused", "1 while a failed update stops the rollout.", lambda: bool(rollout.wave.failed))

    def _counter(self, name: str, text: str, label: str) -> Counter:
        return Counter(f"loci_operator_{name}", text, [label], registry=self.registry)

    def _gauge(self, name: str, text: str, read: Callable[[], float]) -> None:
        Gauge(f"loci_operator_{name}", text, registry=self.registry).set_function(read)
