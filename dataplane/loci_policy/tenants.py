"""Export each tenant's tier and limits as metrics, so that alerting rules can group by tier and compare usage."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from loci_policy.table import Table


class TenantCollector(Collector):
    """Prometheus collector that reads the table on each scrape, so that series of deleted tenants disappear."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def collect(self) -> Iterator[Metric]:
        """Yield two series per tenant."""
        info = GaugeMetricFamily(
            "loci_tenant_info", "Tier of the tenant as a label; always 1.", labels=["tenant", "tier"]
        )
        limit = GaugeMetricFamily("loci_tenant_memories_limit", "Maximum number of memories.", labels=["tenant"])
        for record in self._table.records():
            info.add_metric([record.tenant, record.tier], 1)
            limit.add_metric([record.tenant], record.limits.max_memories)
        yield info
        yield limit
