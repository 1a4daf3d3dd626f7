"""The data plane's metrics, all labelled with the tenant."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1, 2.5, 5, 10)


class Families:
    """The metric families of a registry; tenants that share a process share them."""

    def __init__(self, registry: CollectorRegistry) -> None:
        labels = ["tenant"]
        self.requests = Counter(
            "memory_requests", "Requests answered.", [*labels, "method", "status"], registry=registry
        )
        self.duration = Histogram(
            "memory_request_duration_seconds",
            "Time from a request's arrival to the end of its answer.",
            [*labels, "method"],
            buckets=_BUCKETS,
            registry=registry,
        )
        self.entities = Gauge("memory_entities_count", "Memories stored.", labels, registry=registry)
        self.hit_ratio = Gauge(
            "memory_cache_hit_ratio", "Share of searches answered from the cache.", labels, registry=registry
        )
        self.outbox = Gauge("memory_outbox_entries", "Memories that wait for their index.", labels, registry=registry)


class TenantMetrics:
    """One tenant's series; `remove` drops them when the tenant goes."""

    def __init__(self, families: Families, tenant: str) -> None:
        self._families = families
        self._tenant = tenant
        self._seen: set[tuple[str, str]] = set()
        self._removed = False
        self.entities = families.entities.labels(tenant)
        self.outbox = families.outbox.labels(tenant)

    def watch(self, hit_ratio: Callable[[], float]) -> None:
        """Read this value whenever metrics are asked for."""
        self._families.hit_ratio.labels(self._tenant).set_function(hit_ratio)

    def observe(self, method: str, status: int, seconds: float) -> None:
        """Count one answered request."""
        if self._removed:  # an answer that was late
            return
        self._seen.add((method, str(status)))
        self._families.requests.labels(self._tenant, method, str(status)).inc()
        self._families.duration.labels(self._tenant, method).observe(seconds)

    def remove(self) -> None:
        """Forget the tenant."""
        self._removed = True
        families = self._families
        for family in (families.entities, families.hit_ratio, families.outbox):
            family.remove(self._tenant)
        for method, status in self._seen:
            families.requests.remove(self._tenant, method, status)
        for method in {method for method, _ in self._seen}:
            families.duration.remove(self._tenant, method)
