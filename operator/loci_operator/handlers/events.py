"""Tenants and tiers as kopf tells of them. Only `on.event`: it writes nothing to the objects."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, cast

import kopf

from loci_contract.names import GROUP, VERSION
from loci_operator.world import Document, World

_DELETED: Final = "DELETED"


def register(registry: kopf.OperatorRegistry, world: World, changed: Callable[[str], None]) -> None:
    """Keep the world as kopf tells it, and say which tenants that concerns."""

    @kopf.on.event(GROUP, VERSION, "memorytenants", registry=registry)
    async def on_tenant_event(event: kopf.RawEvent, **_: Any) -> None:
        changed(world.told_of_tenant(cast("Document", event["object"]), deleted=event["type"] == _DELETED))

    @kopf.on.event(GROUP, VERSION, "memorytiers", registry=registry)
    async def on_tier_event(event: kopf.RawEvent, **_: Any) -> None:
        for tenant in world.told_of_tier(cast("Document", event["object"]), deleted=event["type"] == _DELETED):
            changed(tenant)
