"""Grafana dashboards: from the whole platform down to one tenant, in the order in which one looks for a fault."""

from __future__ import annotations

from typing import Final

from loci_dev.observability.dashboards import ingress, operator, platform, slo, stores, tenant
from loci_dev.observability.panels import Dashboard

FOLDER: Final = "charts/loci/dashboards"


def all_dashboards() -> list[Dashboard]:
    """Every dashboard."""
    return [module.dashboard() for module in (platform, tenant, ingress, stores, operator, slo)]


def rendered() -> dict[str, str]:
    """The generated files' texts, by their paths in the repository."""
    return {f"{FOLDER}/{found.name}.json": found.rendered() for found in all_dashboards()}
