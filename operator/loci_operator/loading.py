"""List tenants and tiers: at startup, and periodically to detect missed deletion events."""

from __future__ import annotations

from loci_kubernetes.api import Api
from loci_kubernetes.kinds import TENANT, TIER
from loci_operator.world import World


async def load(api: Api, world: World) -> None:
    """Read every tenant and tier; must run before the first reconcile, which would take an unread one for deleted."""
    for document in await api.list(TIER):
        world.observe_tier(document)
    for document in await api.list(TENANT):
        world.observe_tenant(document)


async def drop_missed(api: Api, world: World) -> list[str]:
    """Drop tenants whose deletion event was missed; return their names."""
    before = dict(world.tenants)
    there = {document["metadata"]["name"] for document in await api.list(TENANT)}
    return world.drop_missed(before, there)
