"""Prometheus metrics of the embedder."""

from __future__ import annotations

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Metrics:
    """Metric families in a collector registry."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.texts = Counter("embedder_texts", "Texts embedded, by priority.", ["priority"], registry=registry)
        self.refused = Counter("embedder_refused", "Requests rejected because the queue is full.", registry=registry)
        self.waiting = Gauge("embedder_waiting_texts", "Texts waiting to be embedded.", registry=registry)
        self.cached = Gauge(
            "embedder_cache_hit_ratio", "Share of texts whose vector was in the cache, by model.", ["model"],
            registry=registry,
        )  # fmt: skip
        self.tokens = Counter("embedder_tokens", "Tokens of embedded texts, by model.", ["model"], registry=registry)
        self.duration = Histogram(
            "embedder_request_duration_seconds",
            "Time from a request to its vectors, by priority.",
            ["priority"],
            buckets=_SECONDS,
            registry=registry,
        )
