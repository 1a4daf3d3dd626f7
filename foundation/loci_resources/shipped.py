"""The tiers that ship with the chart and with `loci serve`."""

from __future__ import annotations

from loci_contract.registry import Priority
from loci_resources.base import ObjectMeta, Requests, Resources
from loci_resources.tier import MemoryTier, MemoryTierSpec


def default_tiers() -> list[MemoryTier]:
    """The free, pro and enterprise tiers."""
    return [
        _tier(
            "free",
            MemoryTierSpec(
                requests_per_minute=100,
                burst=20,
                max_memories=1_000,
                max_graph_nodes=5_000,
                priority=Priority.LOW,
                storage_size="1Gi",
                resources=_resources("50m", "160Mi", "512Mi"),
                namespace_quota=Requests(cpu="1", memory="1Gi"),
            ),
        ),
        _tier(
            "pro",
            MemoryTierSpec(
                requests_per_minute=1_000,
                burst=100,
                max_memories=100_000,
                max_graph_nodes=500_000,
                storage_size="10Gi",
                resources=_resources("100m", "256Mi", "1Gi"),
                namespace_quota=Requests(cpu="4", memory="4Gi"),
            ),
        ),
        _tier(
            "enterprise",
            MemoryTierSpec(
                requests_per_minute=10_000,
                burst=1_000,
                max_memories=10_000_000,
                max_graph_nodes=50_000_000,
                priority=Priority.HIGH,
                storage_size="100Gi",
                resources=_resources("500m", "1Gi", "8Gi"),
                namespace_quota=Requests(cpu="32", memory="64Gi"),
                allow_overrides=True,
            ),
        ),
    ]


def _tier(name: str, spec: MemoryTierSpec) -> MemoryTier:
    return MemoryTier(metadata=ObjectMeta(name=name), spec=spec)


def _resources(cpu: str, memory: str, memory_limit: str) -> Resources:
    return Resources(requests=Requests(cpu=cpu, memory=memory), limits=Requests(memory=memory_limit))
