"""One tenant, as its owner sees it."""

from __future__ import annotations

from loci_dev.observability.dashboards.queries import quantile
from loci_dev.observability.panels import Dashboard, Panel, Query, Variable


def dashboard() -> Dashboard:
    """One tenant, as its owner sees it."""
    one = 'tenant="$tenant"'
    return Dashboard(
        "tenant",
        "Loci / Tenant",
        "One tenant: what it asks for, how it is answered, what it holds.",
        [
            Panel(
                "Requests by operation",
                [Query(f"sum by (method) (rate(memory_requests_total{{{one}}}[5m]))", "{{method}}")],
                "reqps",
                "What the tenant asks for.",
            ),
            Panel(
                "Responses by status",
                [Query(f"sum by (status) (rate(memory_requests_total{{{one}}}[5m]))", "{{status}}")],
                "reqps",
                "4xx are the client's, 5xx ours.",
            ),
            Panel(
                "Latency by operation",
                [
                    Query(quantile(0.5, "method", one), "{{method}} p50"),
                    Query(quantile(0.99, "method", one), "{{method}} p99"),
                ],
                "s",
                "Time in the tenant's data plane.",
            ),
            Panel(
                "Memories, and how many it may store",
                [
                    Query(f"max(memory_entities_count{{{one}}})", "stored"),
                    Query(f"max(loci_tenant_memories_limit{{{one}}})", "limit"),
                ],
                "short",
                "At the limit, writes are refused.",
            ),
            Panel(
                "Searches answered from the cache",
                [Query(f"avg(memory_cache_hit_ratio{{{one}}})", "hit ratio")],
                "percentunit",
                "Each write empties the cache.",
            ),
            Panel(
                "Waiting for their index",
                [Query(f"max(memory_outbox_entries{{{one}}})", "memories")],
                "short",
                "Near 0 but during a bulk import.",
            ),
            Panel(
                "Error budget left",
                [Query(f"tenant:memory_error_budget:remaining{{{one}}}", "{{tenant}}")],
                "percentunit",
                "Of 30 days; below 0 the objective is missed.",
                stat=True,
            ),
            Panel(
                "Tier",
                [Query(f"max by (tier) (loci_tenant_info{{{one}}})", "{{tier}}")],
                "none",
                "The tier that the ingress knows for the tenant.",
                stat=True,
            ),
        ],
        [Variable("tenant", "tenant", "loci_tenant_info")],
    )
