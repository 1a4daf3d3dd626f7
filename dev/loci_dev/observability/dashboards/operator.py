"""The operator: whether tenants become what they should be, how soon, and at what cost to the API server."""

from __future__ import annotations

from loci_dev.observability.panels import Dashboard, Panel, Query


def dashboard() -> Dashboard:
    """Reconciles, their queue, repairs, rollouts, and calls of the API server."""
    return Dashboard(
        "operator",
        "Loci / Operator",
        "Do tenants become what they should be, how soon, and at what cost.",
        [
            Panel(
                "Tenants waiting for a reconcile",
                [Query("sum by (instance) (loci_operator_queue_depth)", "{{instance}}")],
                "none",
                "0 when nothing changes; it grows for a moment after a change of the platform.",
                stat=True,
                width=6,
            ),
            Panel(
                "Longest wait",
                [Query("max(loci_operator_queue_age_seconds)", "oldest")],
                "s",
                "Above some seconds: the workers do not keep up, or the API server is slow.",
                stat=True,
                width=6,
            ),
            Panel(
                "Queue stalled",
                [Query("max(loci_operator_queue_stalled_seconds)", "stalled")],
                "s",
                "Time since a reconcile last ended while some wait; above 0 for long: no worker finishes.",
                stat=True,
                width=6,
            ),
            Panel(
                "Rollout paused",
                [Query("max(loci_operator_rollout_paused)", "paused")],
                "none",
                "1: a tenant's update failed, and the others wait for it.",
                stat=True,
                width=6,
            ),
            Panel(
                "Reconciles by outcome",
                [
                    Query(
                        "sum by (outcome) (rate(loci_operator_reconcile_duration_seconds_count[5m]))",
                        "{{outcome}}",
                    )
                ],
                "cps",
                "Failed ones are tried again with back-off.",
            ),
            Panel(
                "Reconcile duration p50 and p99",
                [
                    Query(_quantile(0.5), "p50"),
                    Query(_quantile(0.99), "p99"),
                ],
                "s",
                "A tenant in its desired state takes a millisecond; a new one waits for the API server.",
            ),
            Panel(
                "Failures by error",
                [
                    Query(
                        "sum by (error) (rate(loci_operator_reconcile_errors_total[5m]))"
                        ' or label_replace(vector(0), "error", "none", "", "")',
                        "{{error}}",
                    )
                ],
                "cps",
                "UnreachableError: the API server. ProvisionError, StoreAwayError: a shared store.",
            ),
            Panel(
                "Objects put right",
                [Query("sum by (kind) (rate(loci_operator_drift_repairs_total[5m]))", "{{kind}}")],
                "cps",
                "Others change or delete what the operator owns; steady repairs mean that two controllers compete.",
            ),
            Panel(
                "Calls of the API server by verb",
                [Query("sum by (verb) (rate(loci_operator_api_calls_total[5m]))", "{{verb}}")],
                "cps",
                "In steady state there are watches and few reads, and no write.",
            ),
            Panel(
                "Tenants not up to date",
                [Query("sum by (state) (loci_operator_rollout_tenants)", "{{state}}")],
                "none",
                "Updating: the present wave. Failed: they stop the rollout.",
            ),
        ],
    )


def _quantile(share: float) -> str:
    rate = "sum by (le) (rate(loci_operator_reconcile_duration_seconds_bucket[5m]))"
    return f"histogram_quantile({share}, {rate})"
