from prometheus_client import CollectorRegistry, generate_latest

from loci_dev.rigs.tenants import key_record, record
from loci_policy.table import Table
from loci_policy.tenants import TenantCollector


def scraped(table: Table) -> list[str]:
    registry = CollectorRegistry()
    registry.register(TenantCollector(table))
    return [line for line in generate_latest(registry).decode().splitlines() if not line.startswith("#")]


def test_tells_each_tenants_tier_and_limit() -> None:
    table = Table([record("acme", key_record("sk-acme-a"), key_record("sk-acme-b"), tier="pro")])
    assert scraped(table) == [
        'loci_tenant_info{tenant="acme",tier="pro"} 1.0',
        'loci_tenant_memories_limit{tenant="acme"} 1000.0',
    ]


def test_a_deleted_tenants_series_end_with_it() -> None:
    table = Table([record("acme", key_record("sk-acme-a"))])
    table.remove("acme")
    assert scraped(table) == []
