"""The embedder's metrics."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge


class Metrics:
    """The metric families of a registry."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.texts = Counter("embedder_texts", "Texts embedded, by priority.", ["priority"], registry=registry)
        self.refused = Counter("embedder_refused", "Requests refused because too many texts wait.", registry=registry)
        self.waiting = Gauge("embedder_waiting_texts", "Texts that wait to be embedded.", registry=registry)
