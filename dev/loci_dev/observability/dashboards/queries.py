"""PromQL that several dashboards share."""

from __future__ import annotations

from typing import Final

SEARCH: Final = 'method="search"'


def quantile(share: float, by: str = "", only: str = "") -> str:
    """A quantile of the requests' duration in seconds, grouped by labels, of the series that a selector admits."""
    labels = f"{by}, le" if by else "le"
    rate = f"rate(memory_request_duration_seconds_bucket{{{only}}}[5m])"
    return f"histogram_quantile({share}, sum by ({labels}) ({rate}))"
