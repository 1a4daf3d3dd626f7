"""Prometheus metrics of the policy; every label has a small, fixed set of values."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from loci_policy.buckets.bucket import Verdict
from loci_policy.decision import Outcome


class Metrics:
    """Metrics in their own collector registry; series of the hot path are created in advance."""

    def __init__(self, collector_registry: CollectorRegistry | None = None) -> None:
        self.collector_registry = collector_registry or CollectorRegistry()
        decisions = Counter(
            "loci_policy_decisions",
            "Requests by decision outcome.",
            ["outcome"],
            registry=self.collector_registry,
        )
        self.decisions = {outcome: decisions.labels(outcome.value) for outcome in Outcome}
        rate = Counter(
            "loci_policy_rate_limit_decisions",
            "Authorized requests by rate-limit verdict and by bucket, shared or local.",
            ["decision", "mode"],
            registry=self.collector_registry,
        )
        self._rate = {
            (allowed, degraded): rate.labels("allowed" if allowed else "limited", "local" if degraded else "shared")
            for allowed in (True, False)
            for degraded in (True, False)
        }
        self.errors = Counter(
            "loci_policy_errors",
            "Requests denied with 503 because no decision was possible.",
            registry=self.collector_registry,
        )
        self.leased = Counter(
            "loci_policy_leased_tokens",
            "Tokens leased to Envoy in advance.",
            registry=self.collector_registry,
        )
        self.returned = Counter(
            "loci_policy_returned_tokens",
            "Leased tokens that were returned unused.",
            registry=self.collector_registry,
        )
        self.bucket_failures = Counter(
            "loci_policy_bucket_failures",
            "Failed calls to the shared buckets.",
            registry=self.collector_registry,
        )
        self.tenants = Gauge(
            "loci_policy_registry_tenants", "Tenants in the registry.", registry=self.collector_registry
        )
        self.synced = Gauge(
            "loci_policy_registry_synced", "1 once the registry was loaded.", registry=self.collector_registry
        )
        self.connected = Gauge(
            "loci_policy_registry_connected",
            "1 while connected to the registry source.",
            registry=self.collector_registry,
        )
        self.stale = Gauge(
            "loci_policy_registry_stale",
            "1 while decisions use the last known registry because its source is unavailable.",
            registry=self.collector_registry,
        )
        self.last_contact = Gauge(
            "loci_policy_registry_last_contact_timestamp_seconds",
            "Unix time of the last message from the registry source, seconds.",
            registry=self.collector_registry,
        )
        self.invalid = Counter(
            "loci_policy_registry_invalid_records",
            "Invalid registry records.",
            registry=self.collector_registry,
        )
        self.propagation = Histogram(
            "loci_policy_key_propagation_seconds",
            "Time from the last write of a registry record (resolution 1 s) until it takes effect here, seconds.",
            buckets=(0.1, 0.25, 0.5, 1, 2, 5, 10, 30),
            registry=self.collector_registry,
        )

    def rate_limited(self, verdict: Verdict) -> None:
        """Count a rate-limit verdict."""
        self._rate[verdict.allowed, verdict.degraded].inc()
