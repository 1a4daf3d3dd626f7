"""Service level objectives of each tier: recording rules, burn-rate alerts, and each tenant's error budget.

A burn rate is the error ratio divided by what the objective allows: at 1, the budget lasts exactly its 30 days. Each
burn-rate alert needs two windows: the long one shows that enough of the budget went, the short one that it still goes,
so that the alert clears soon after the fault. Ratios are recorded per tenant and per tier for every window that an
alert uses; the tier comes from `loci_tenant_info`. Each window costs one pass over the requests of each tenant.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from loci_dev.observability.model import Alert, Group, Recording, Severity

AVAILABILITY: Final = 0.999
"""Share of requests that must not fail with 5xx, over 30 days."""
SEARCH_SECONDS: Final = 0.2
SEARCH_SHARE: Final = 0.99
"""Share of searches that must be answered within SEARCH_SECONDS: the p99 objective."""

_TIER: Final = "* on (tenant) group_left (tier) tenant:loci_tenant_info:max"
_SEARCH: Final = 'method="search"'


@dataclass(frozen=True)
class _Burn:
    """A pair of windows and the burn rate over both of which an alert fires."""

    speed: str
    factor: float
    long: str
    short: str
    lasting: str
    severity: Severity


_BURNS: Final = (
    _Burn("Fast", 14.4, "1h", "5m", "2m", "page"),
    _Burn("Slow", 6, "6h", "30m", "15m", "page"),
    _Burn("Drain", 1, "3d", "6h", "1h", "ticket"),
)
WINDOWS: Final = tuple(sorted({w for burn in _BURNS for w in (burn.long, burn.short)}))


def recordings() -> Group:
    """Request, error and slow-search ratios per tenant and tier, over every window."""
    # While a tenant changes its tier, two replicas of the policy may tell two of them: one is taken.
    info = Recording("tenant:loci_tenant_info:max", "topk by (tenant) (1, max by (tenant, tier) (loci_tenant_info))")
    return Group("loci-slo", [info, *(rule for window in WINDOWS for rule in _window(window)), _p99()])


def budget() -> Group:
    """What is left of each tenant's error budget, 1 (all) to below 0 (overspent); seldom, since it reads 30 days."""
    failed = 'sum by (tenant) (increase(memory_requests_total{status=~"5.."}[30d]))'
    total = "sum by (tenant) (increase(memory_requests_total[30d]))"
    ratio = f"(({failed}) or ({total}) * 0) / ({total} > 0)"
    rules = [Recording("tenant:memory_error_budget:remaining", f"1 - {ratio} / {_share(AVAILABILITY)}")]
    return Group("loci-error-budget", rules, "5m")


def alerts() -> Group:
    """Burn-rate alerts of both objectives for each tier, and the ticket for a tenant whose budget is spent."""
    burns = [alert for burn in _BURNS for alert in (_availability(burn), _latency(burn))]
    return Group("loci-slo-alerts", [*burns, _spent()])


def _window(window: str) -> list[Recording]:
    """The ratios over one window; a tenant without errors has the ratio 0, one without requests none."""
    requests = f"tenant:memory_requests:rate{window}"
    failed = f"tenant:memory_requests_failed:rate{window}"
    searches = f"tenant:memory_searches:rate{window}"
    slow = f"tenant:memory_searches_slow:rate{window}"
    bucket = f'memory_request_duration_seconds_bucket{{{_SEARCH},le="{SEARCH_SECONDS}"}}'
    errors = f'sum by (tenant) (rate(memory_requests_total{{status=~"5.."}}[{window}]))'
    in_time = f"sum by (tenant) (rate({bucket}[{window}]))"
    return [
        Recording(requests, f"sum by (tenant) (rate(memory_requests_total[{window}]))"),
        Recording(failed, f"{errors} or {requests} * 0"),
        Recording(searches, f"sum by (tenant) (rate(memory_request_duration_seconds_count{{{_SEARCH}}}[{window}]))"),
        Recording(slow, f"{searches} - {in_time}"),
        Recording(f"tier:memory_requests_failed:ratio{window}", _ratio(failed, requests)),
        Recording(f"tier:memory_searches_slow:ratio{window}", _ratio(slow, searches)),
    ]


def _ratio(part: str, whole: str) -> str:
    return f"sum by (tier) ({part} {_TIER}) / (sum by (tier) ({whole} {_TIER}) > 0)"


def _p99() -> Recording:
    rate = f"sum by (tenant, le) (rate(memory_request_duration_seconds_bucket{{{_SEARCH}}}[5m]))"
    quantile = f"histogram_quantile(0.99, sum by (tier, le) ({rate} {_TIER}))"
    return Recording("tier:memory_search_duration_seconds:p99_5m", quantile)


def _availability(burn: _Burn) -> Alert:
    return Alert(
        f"LociAvailabilityBurn{burn.speed}",
        _burns("tier:memory_requests_failed:ratio", burn, AVAILABILITY),
        burn.lasting,
        burn.severity,
        "Tier {{ $labels.tier }}: {{ $value | humanizePercentage }} of requests fail",
        f"Over {burn.long} the error budget of 30 days went {burn.factor:g} times as fast as it may.",
        {"slo": "availability"},
    )


def _latency(burn: _Burn) -> Alert:
    return Alert(
        f"LociSearchLatencyBurn{burn.speed}",
        _burns("tier:memory_searches_slow:ratio", burn, SEARCH_SHARE),
        burn.lasting,
        burn.severity,
        "Tier {{ $labels.tier }}: {{ $value | humanizePercentage }} of searches take over 200 ms",
        f"Over {burn.long} the latency budget of 30 days went {burn.factor:g} times as fast as it may.",
        {"slo": "search-latency"},
    )


def _burns(ratio: str, burn: _Burn, objective: float) -> str:
    bound = f"{burn.factor:g} * {_share(objective)}"
    return f"{ratio}{burn.long} > {bound} and {ratio}{burn.short} > {bound}"


def _share(objective: float) -> str:
    """What an objective allows to go wrong, 0 to 1."""
    return f"{1 - objective:.4g}"


def _spent() -> Alert:
    return Alert(
        "LociTenantBudgetSpent",
        "tenant:memory_error_budget:remaining < 0",
        "15m",
        "ticket",
        "Tenant {{ $labels.tenant }} has no error budget left",
        "More than 0.1 % of the tenant's requests failed over 30 days: its availability objective is missed.",
        {"slo": "availability"},
    )
