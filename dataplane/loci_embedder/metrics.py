"""Prometheus metrics of the embedder."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge


class Metrics:
    """Metric families in a collector registry."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.texts = Counter("embedder_texts", "Texts embedded, by priority.", ["priority"], registry=registry)
        self.refused = Counter("embedder_refused", "Requests rejected because the queue is full.", registry=registry)
        self.waiting = Gauge("embedder_waiting_texts", "Texts waiting to be embedded.", registry=registry)
