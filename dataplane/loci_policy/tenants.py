"""Each tenant's tier and limits as metrics, so that rules can group by tier and compare use with what is allowed."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from loci_policy.table import Table


class TenantCollector(Collector):
    """Reads the table at each scrape, so that the series of a deleted tenant end with it."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def collect(self) -> Iterator[Metric]:
        """Two series a tenant."""
        info = GaugeMetricFamily("loci_tenant_info", "Always 1; tells a tenant's tier.", labels=["tenant", "tier"])
        limit = GaugeMetricFamily("loci_tenant_memories_limit", "Memories that may be stored.", labels=["tenant"])
        for record in self._table.records():
            info.add_metric([record.tenant, record.tier], 1)
            limit.add_metric([record.tenant], record.limits.max_memories)
        yield info
        yield limit
