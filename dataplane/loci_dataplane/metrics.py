"""Prometheus metrics of the data plane, all labelled with the tenant."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from loci_dataplane.outbox.indexer import Indexer
from loci_dataplane.stores.errors import StoreError
from loci_dataplane.stores.ports import Stores

_BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1, 2.5, 5, 10)

_UNCHANGED_SECONDS: Final = 300.0


class Families:
    """Metric families of a process, shared by its tenants."""

    def __init__(self, registry: CollectorRegistry) -> None:
        labels = ["tenant"]
        self.requests = Counter(
            "memory_requests",
            "Requests by operation and HTTP status.",
            [*labels, "method", "status"],
            registry=registry,
        )
        self.duration = Histogram(
            "memory_request_duration_seconds",
            "Time from a request's arrival to the end of its response, by operation.",
            [*labels, "method"],
            buckets=_BUCKETS,
            registry=registry,
        )
        self.entities = Gauge("memory_entities_count", "Number of stored memories.", labels, registry=registry)
        self.hit_ratio = Gauge(
            "memory_cache_hit_ratio", "Ratio of searches served from the cache.", labels, registry=registry
        )
        self.model_change = Gauge(
            "memory_model_change_ratio",
            "Ratio of memories that have vectors of the model that is wanted; 1 while no change is under way.",
            labels,
            registry=registry,
        )
        self.outbox = Gauge("memory_outbox_entries", "Memories waiting to be indexed.", labels, registry=registry)
        self.dead_letters = Gauge(
            "memory_dead_letters", "Memories that could not be indexed in several attempts.", labels, registry=registry
        )
        self.drift = Gauge(
            "memory_index_drift",
            "Memories that the last comparison of an index with the rows found missing there, or left over.",
            [*labels, "store"],
            registry=registry,
        )


class TenantMetrics:
    """Series of one tenant; `remove` drops them when the tenant is stopped."""

    def __init__(self, families: Families, tenant: str) -> None:
        self._families = families
        self._tenant = tenant
        self._seen: set[tuple[str, str]] = set()
        self._removed = False
        self._stores: Stores | None = None
        self._indexer: Indexer | None = None
        self._read = (-1, 0.0)

    def watch(self, stores: Stores, indexer: Indexer, hit_ratio: Callable[[], float]) -> None:
        """Read gauges from here whenever metrics are rendered."""
        self._stores, self._indexer, self._read = stores, indexer, (-1, 0.0)
        self._families.hit_ratio.labels(self._tenant).set_function(hit_ratio)

    async def refresh(self) -> None:
        """Update the gauges that are read from the stores, if anything changed here or some minutes have passed.

        A tenant without traffic is not read at each scrape, so that it holds no connection. Without open stores there
        are no such gauges.
        """
        if self._stores is None or self._indexer is None or self._removed:
            return
        self._set_drift(self._indexer.drift)
        generation, now = self._indexer.generation, time.monotonic()
        if generation == self._read[0] and now < self._read[1] + _UNCHANGED_SECONDS:
            return
        outbox = self._stores.outbox
        numbers = {
            self._families.entities: await self._stores.records.count(),
            self._families.outbox: await outbox.backlog(),
            self._families.dead_letters: await outbox.dead(),
            self._families.model_change: await self._indexer.model_change.progress(),
        }
        self._read = (generation, now)
        if not self._removed:
            for family, number in numbers.items():
                family.labels(self._tenant).set(number)

    def _set_drift(self, drift: Mapping[str, int]) -> None:
        for store, number in drift.items():
            self._families.drift.labels(self._tenant, store).set(number)

    def observe(self, operation: str, status: int, seconds: float) -> None:
        """Count one request by its operation in the routes table."""
        if self._removed:  # the response came after the tenant was stopped
            return
        self._seen.add((operation, str(status)))
        self._families.requests.labels(self._tenant, operation, str(status)).inc()
        self._families.duration.labels(self._tenant, operation).observe(seconds)

    def remove(self) -> None:
        """Drop the tenant's series."""
        self._removed = True
        families = self._families
        gauges = (families.entities, families.hit_ratio, families.outbox, families.dead_letters, families.model_change)
        for family in gauges:
            family.remove(self._tenant)
        families.drift.remove_by_labels({"tenant": self._tenant})
        for operation, status in self._seen:
            families.requests.remove(self._tenant, operation, status)
        for operation in {operation for operation, _ in self._seen}:
            families.duration.remove(self._tenant, operation)


class MetricsPage:
    """Exposition of the metrics at `/metrics`."""

    def __init__(self, registry: CollectorRegistry, metrics: TenantMetrics) -> None:
        self._registry = registry
        self._metrics = metrics

    async def render(self) -> bytes:
        """Return all metrics in Prometheus' text format, up to date."""
        with contextlib.suppress(StoreError):  # the others are still true
            await self._metrics.refresh()
        return generate_latest(self._registry)
