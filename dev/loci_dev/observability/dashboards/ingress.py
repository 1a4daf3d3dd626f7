"""The ingress and its limits: who gets in, and what the policy decides from."""

from __future__ import annotations

from typing import Final

from loci_dev.observability.panels import Dashboard, Panel, Query

_PROPAGATION: Final = "sum by (le) (rate(loci_policy_key_propagation_seconds_bucket[15m]))"


def dashboard() -> Dashboard:
    """Who gets in."""
    return Dashboard(
        "ingress",
        "Loci / Ingress and limits",
        "Who gets in: decisions, rate limits, and what the policy decides from.",
        [
            Panel(
                "Decisions",
                [Query("sum by (outcome) (rate(loci_policy_decisions_total[5m]))", "{{outcome}}")],
                "reqps",
                "A rise of unknown keys is an attack or a wrong configuration.",
            ),
            Panel(
                "Rate limits",
                [
                    Query(
                        "sum by (decision, mode) (rate(loci_policy_rate_limit_decisions_total[5m]))",
                        "{{decision}} ({{mode}})",
                    )
                ],
                "reqps",
                "`local` means that Redis did not answer.",
            ),
            Panel(
                "Leased tokens",
                [
                    Query("sum(rate(loci_policy_leased_tokens_total[5m]))", "leased"),
                    Query("sum(rate(loci_policy_returned_tokens_total[5m]))", "given back"),
                ],
                "cps",
                "Requests that Envoy may admit without asking; most are given back only after short bursts.",
            ),
            Panel(
                "Refused with 503",
                [Query("sum(rate(loci_policy_errors_total[5m]))", "refused")],
                "reqps",
                "Decisions that could not be made.",
            ),
            Panel(
                "Redis failures",
                [Query("sum by (instance) (rate(loci_policy_bucket_failures_total[5m]))", "{{instance}}")],
                "cps",
                "Above 0 the fallback decides.",
            ),
            Panel(
                "Registry connected",
                [Query("min by (instance) (loci_policy_registry_connected)", "{{instance}}")],
                "none",
                "0: this replica obeys old keys.",
            ),
            Panel(
                "Registry last heard of",
                [
                    Query(
                        "time() - max by (instance) (loci_policy_registry_last_contact_timestamp_seconds)",
                        "{{instance}}",
                    )
                ],
                "s",
                "In a cluster about a minute at most.",
            ),
            Panel(
                "Key propagation",
                [
                    Query(
                        f"histogram_quantile({share}, {_PROPAGATION})",
                        f"p{share * 100:.0f}",
                    )
                    for share in (0.5, 0.99)
                ],
                "s",
                "From a key's change to its being obeyed; empty while none changes.",
            ),
            Panel(
                "Tenants known, by replica",
                [Query("max by (instance) (loci_policy_registry_tenants)", "{{instance}}")],
                "none",
                "Replicas that differ for long are cut off.",
            ),
        ],
    )
