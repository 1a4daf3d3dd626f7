"""The policy's own metrics; every label has a small, fixed set of values."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from loci_policy.buckets.bucket import Verdict
from loci_policy.decision import Outcome


class Metrics:
    """The metrics, in a collector registry of their own; the series of the hot path are created beforehand."""

    def __init__(self, collector_registry: CollectorRegistry | None = None) -> None:
        self.collector_registry = collector_registry or CollectorRegistry()
        decisions = Counter(
            "loci_policy_decisions",
            "Requests by how their decision ended.",
            ["outcome"],
            registry=self.collector_registry,
        )
        self.decisions = {outcome: decisions.labels(outcome.value) for outcome in Outcome}
        rate = Counter(
            "loci_policy_rate_limit_decisions",
            "Authorized requests by the bucket's verdict, and whether the shared or only the local bucket gave it.",
            ["decision", "mode"],
            registry=self.collector_registry,
        )
        self._rate = {
            (allowed, degraded): rate.labels("allowed" if allowed else "limited", "local" if degraded else "shared")
            for allowed in (True, False)
            for degraded in (True, False)
        }
        self.errors = Counter("loci_policy_errors", "Decisions refused with 503.", registry=self.collector_registry)
        self.leased = Counter(
            "loci_policy_leased_tokens",
            "Tokens leased to Envoy for requests to come.",
            registry=self.collector_registry,
        )
        self.returned = Counter(
            "loci_policy_returned_tokens",
            "Leased tokens that were given back unused.",
            registry=self.collector_registry,
        )
        self.bucket_failures = Counter(
            "loci_policy_bucket_failures",
            "Times that the shared buckets did not answer.",
            registry=self.collector_registry,
        )
        self.tenants = Gauge("loci_policy_registry_tenants", "Tenants known.", registry=self.collector_registry)
        self.synced = Gauge(
            "loci_policy_registry_synced", "1 once the registry was read.", registry=self.collector_registry
        )
        self.connected = Gauge(
            "loci_policy_registry_connected",
            "1 while changes of the registry arrive.",
            registry=self.collector_registry,
        )
        self.stale = Gauge(
            "loci_policy_registry_stale",
            "1 while the last known registry serves because its source cannot be reached.",
            registry=self.collector_registry,
        )
        self.last_contact = Gauge(
            "loci_policy_registry_last_contact_timestamp_seconds",
            "When the registry was last heard of, in Unix seconds.",
            registry=self.collector_registry,
        )
        self.invalid = Counter(
            "loci_policy_registry_invalid_records",
            "Registry records that could not be read.",
            registry=self.collector_registry,
        )
        self.propagation = Histogram(
            "loci_policy_key_propagation_seconds",
            "From a registry record's last write (known to the second) to its being obeyed here.",
            buckets=(0.1, 0.25, 0.5, 1, 2, 5, 10, 30),
            registry=self.collector_registry,
        )

    def rate_limited(self, verdict: Verdict) -> None:
        """Count a bucket's verdict."""
        self._rate[verdict.allowed, verdict.degraded].inc()
