"""The whole platform on one page: where one looks first."""

from __future__ import annotations

from typing import Final

from loci_dev.observability.dashboards.queries import SEARCH, quantile
from loci_dev.observability.panels import Dashboard, Panel, Query
from loci_dev.observability.slo import AVAILABILITY, SEARCH_SECONDS

_FAILED: Final = 'sum(rate(memory_requests_total{status=~"5.."}[5m])) or vector(0)'


def dashboard() -> Dashboard:
    """The whole platform on one page."""
    return Dashboard(
        "platform",
        "Loci / Platform",
        "Is it up, for whom, how fast, and how full.",
        [
            Panel(
                "Requests",
                [Query("sum(rate(memory_requests_total[5m]))", "requests")],
                "reqps",
                "Requests answered by tenants' data planes.",
                stat=True,
                width=6,
            ),
            Panel(
                "Failed requests",
                [Query(f"({_FAILED}) / sum(rate(memory_requests_total[5m]))", "5xx")],
                "percentunit",
                f"Share of requests answered with 5xx; the objective allows {1 - AVAILABILITY:.1%}.",
                stat=True,
                width=6,
            ),
            Panel(
                "Search p99",
                [
                    Query(
                        "histogram_quantile(0.99, sum by (le) (rate("
                        'memory_request_duration_seconds_bucket{method="search"}[5m])))',
                        "p99",
                    )
                ],
                "s",
                f"The objective is {SEARCH_SECONDS} s.",
                stat=True,
                width=6,
            ),
            Panel(
                "Tenants",
                [Query("max(loci_policy_registry_tenants)", "tenants")],
                "none",
                "Tenants that the ingress knows.",
                stat=True,
                width=6,
            ),
            Panel(
                "Requests by operation",
                [Query("sum by (method) (rate(memory_requests_total[5m]))", "{{method}}")],
                "reqps",
                "What is asked for.",
            ),
            Panel(
                "Responses by status",
                [Query("sum by (status) (rate(memory_requests_total[5m]))", "{{status}}")],
                "reqps",
                "Anything with 5 in front is a fault of ours.",
            ),
            Panel(
                "Busiest tenants",
                [Query("topk(10, sum by (tenant) (rate(memory_requests_total[5m])))", "{{tenant}}")],
                "reqps",
                "One tenant far ahead may be a loop in its application.",
            ),
            Panel(
                "Slowest tenants: search p99",
                [Query(f"topk(10, {quantile(0.99, 'tenant', SEARCH)})", "{{tenant}}")],
                "s",
                "All slow: the embedder or the nodes. One slow: its pod.",
            ),
            Panel(
                "Processes by job",
                [Query('sum by (job) (up{job=~"loci-.*"})', "{{job}}")],
                "none",
                "Processes that Prometheus can read.",
            ),
            Panel(
                "Memories",
                [Query("sum(max by (tenant) (memory_entities_count))", "memories")],
                "short",
                "Memories stored by all tenants.",
            ),
            Panel(
                "Isolation prober: rounds",
                [Query("sum by (result) (rate(loci_isolation_rounds_total[5m]))", "{{result}}")],
                "cps",
                "Where it runs: breached is an emergency, failed proves nothing.",
            ),
        ],
    )
