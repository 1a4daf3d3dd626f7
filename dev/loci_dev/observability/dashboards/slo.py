"""Objectives and error budgets, by tier and tenant."""

from __future__ import annotations

from loci_dev.observability.panels import Dashboard, Panel, Query
from loci_dev.observability.slo import AVAILABILITY, SEARCH_SECONDS, SEARCH_SHARE


def dashboard() -> Dashboard:
    """Objectives and error budgets."""
    burn = f"tier:memory_requests_failed:ratio1h / {1 - AVAILABILITY:.4g}"
    slow = f"tier:memory_searches_slow:ratio1h / {1 - SEARCH_SHARE:.4g}"
    return Dashboard(
        "slo",
        "Loci / SLO and error budget",
        f"Objectives over 30 days: {AVAILABILITY:.1%} of requests, and {SEARCH_SHARE:.0%} of searches within 200 ms.",
        [
            Panel(
                "Failed requests",
                [Query("tier:memory_requests_failed:ratio5m", "{{tier}}")],
                "percentunit",
                "Share of each tier's requests answered with 5xx.",
            ),
            Panel(
                "Slow searches",
                [Query("tier:memory_searches_slow:ratio5m", "{{tier}}")],
                "percentunit",
                "Share of each tier's searches over 200 ms.",
            ),
            Panel(
                "Burn rate, availability",
                [Query(burn, "{{tier}}")],
                "none",
                "Over an hour; from 14.4 somebody is paged.",
            ),
            Panel("Burn rate, search", [Query(slow, "{{tier}}")], "none", "Over an hour; from 14.4 somebody is paged."),
            Panel(
                "Search p99",
                [Query("tier:memory_search_duration_seconds:p99_5m", "{{tier}}")],
                "s",
                f"The objective is {SEARCH_SECONDS} s.",
            ),
            Panel(
                "Least error budget left",
                [Query("bottomk(10, tenant:memory_error_budget:remaining)", "{{tenant}}")],
                "percentunit",
                "Below 0 the tenant's objective is missed.",
            ),
        ],
    )
