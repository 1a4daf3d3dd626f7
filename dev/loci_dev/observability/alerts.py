"""Alerts on causes: what breaks before, or beside, the objectives of `slo.py`."""

from __future__ import annotations

from loci_dev.observability.model import Alert, Group


def ingress() -> Group:
    """The ingress: who is refused, and what the policy decides from."""
    return Group(
        "loci-ingress",
        [
            Alert(
                "LociServerErrors",
                'sum by (tenant) (rate(memory_requests_total{status=~"5.."}[5m]))'
                " / (sum by (tenant) (rate(memory_requests_total[5m])) > 0) > 0.05"
                ' and sum by (tenant) (increase(memory_requests_total{status=~"5.."}[5m])) > 10',
                "5m",
                "page",
                "Tenant {{ $labels.tenant }}: {{ $value | humanizePercentage }} of requests fail with 5xx",
                "Users of this tenant see errors; the tier's objective may still hold.",
            ),
            Alert(
                "LociPolicyRefusing",
                "sum(rate(loci_policy_errors_total[5m])) / (sum(rate(loci_policy_decisions_total[5m])) > 0) > 0.01",
                "2m",
                "page",
                "The policy refuses {{ $value | humanizePercentage }} of requests with 503",
                "Decisions fail, for all tenants alike: requests get 503 before they reach a pod.",
            ),
            Alert(
                "LociRegistryDisconnected",
                "loci_policy_registry_connected == 0",
                "1m",
                "page",
                "The policy in {{ $labels.instance }} has lost the registry",
                "New, changed and revoked keys are not seen by this replica until it is connected again.",
            ),
            Alert(
                "LociRegistryNotSynced",
                "loci_policy_registry_synced == 0",
                "2m",
                "page",
                "The policy in {{ $labels.instance }} has never read the registry",
                "This replica knows no tenant and is not ready.",
            ),
            Alert(
                "LociRegistryStale",
                "time() - loci_policy_registry_last_contact_timestamp_seconds > 180",
                "1m",
                "page",
                "The policy in {{ $labels.instance }} last heard of the registry {{ $value | humanizeDuration }} ago",
                "The watch looks open and says nothing: a revoked key may still be accepted by this replica.",
                kubernetes_only=True,
            ),
            Alert(
                "LociRegistryInvalidRecord",
                "increase(loci_policy_registry_invalid_records_total[10m]) > 0",
                "0m",
                "ticket",
                "A registry record cannot be read by {{ $labels.instance }}",
                "The tenant of that record is refused; the policy's log names it.",
            ),
            Alert(
                "LociKeyPropagationSlow",
                "histogram_quantile(0.99, sum by (le) (rate(loci_policy_key_propagation_seconds_bucket[15m]))) > 5",
                "5m",
                "ticket",
                "Keys take {{ $value | humanizeDuration }} to reach the ingress",
                "A revoked key is accepted, and a new one refused, for that long.",
            ),
            Alert(
                "LociRedisFallback",
                "sum by (instance) (rate(loci_policy_bucket_failures_total[5m])) > 0",
                "1m",
                "page",
                "The policy in {{ $labels.instance }} decides without Redis",
                "Limits hold per replica only (`local`), or every request gets 503 (`deny`).",
            ),
        ],
    )


def tenants() -> Group:
    """Tenants' pods and the embedder behind them."""
    return Group(
        "loci-tenants",
        [
            Alert(
                "LociOutboxLag",
                "max by (tenant) (memory_outbox_entries) > 100",
                "10m",
                "page",
                "Tenant {{ $labels.tenant }}: {{ $value }} memories wait for their index",
                "Stored memories are found by full text, but not by vector search.",
            ),
            Alert(
                "LociTenantNearQuota",
                "max by (tenant) (memory_entities_count) / max by (tenant) (loci_tenant_memories_limit) > 0.9",
                "10m",
                "ticket",
                "Tenant {{ $labels.tenant }} uses {{ $value | humanizePercentage }} of its memories",
                "At 100 % further writes are refused.",
            ),
            Alert(
                "LociEmbedderRefusing",
                "sum(rate(embedder_refused_total[5m])) > 0",
                "5m",
                "page",
                "The embedder refuses {{ $value | humanize }} requests a second",
                "More texts wait than it can embed: searches fall back to full text, and indexing lags.",
            ),
        ],
    )


def platform() -> Group:
    """The processes themselves."""
    return Group(
        "loci-platform",
        [
            Alert(
                "LociTargetDown",
                'up{job=~"loci-.*"} == 0',
                "3m",
                "page",
                "{{ $labels.job }} at {{ $labels.instance }} does not answer",
                "Prometheus cannot read the process's metrics: it is down, not ready, or cut off.",
            ),
            Alert(
                "LociMetricsAbsent",
                "absent(loci_policy_registry_tenants)",
                "5m",
                "page",
                "No ingress reports metrics",
                "No ingress runs, or Prometheus does not find it: no other alert on the ingress can fire.",
            ),
            *_operator(),
        ],
    )


def _operator() -> list[Alert]:
    return [
        Alert(
            "LociOperatorErrors",
            'sum(rate(loci_operator_reconcile_duration_seconds_count{outcome="failed"}[10m]))'
            " / (sum(rate(loci_operator_reconcile_duration_seconds_count[10m])) > 0) > 0.1",
            "10m",
            "ticket",
            "{{ $value | humanizePercentage }} of the operator's reconciles fail",
            "Changes of some tenants are not carried out, or late; their pods serve as before.",
            kubernetes_only=True,
        ),
        Alert(
            "LociOperatorQueueStuck",
            "max(loci_operator_queue_age_seconds) > 300",
            "2m",
            "page",
            "A tenant has waited {{ $value | humanizeDuration }} for the operator",
            "New tenants, keys and suspensions are not carried out; what was revoked may still be accepted.",
            kubernetes_only=True,
        ),
        Alert(
            "LociRolloutPaused",
            "max(loci_operator_rollout_paused) == 1",
            "1m",
            "ticket",
            "A rollout stopped at a tenant whose updated pod is not ready",
            "That tenant may be down; the others serve with the version before.",
            kubernetes_only=True,
        ),
    ]


def isolation() -> Group:
    """Results of the isolation prober, where it runs."""
    return Group(
        "loci-isolation",
        [
            Alert(
                "LociIsolationBroken",
                "max by (attempt) (loci_isolation_breached) == 1",
                "0m",
                "emergency",
                "One tenant reached another's data: attempt {{ $labels.attempt }}",
                "The isolation prober broke the isolation between its own two tenants; real tenants can do the same.",
                kubernetes_only=True,
            ),
            Alert(
                "LociIsolationUnproved",
                "time() - max(loci_isolation_last_round_timestamp_seconds) > 600",
                "5m",
                "ticket",
                "The isolation prober has proved nothing for {{ $value | humanizeDuration }}",
                "A breach would not be noticed: the prober's tenants are not served, or it cannot reach the ingress.",
                kubernetes_only=True,
            ),
        ],
    )
