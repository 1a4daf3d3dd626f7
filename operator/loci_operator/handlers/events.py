"""Tenants and tiers as kopf tells of them. Only `on.event`: it writes nothing to the objects."""

from __future__ import annotations

from typing import Any, Final, Protocol, cast

import kopf

from loci_contract.names import GROUP, VERSION
from loci_operator.reconcile.reading import Document
from loci_operator.world import Change, World

_DELETED: Final = "DELETED"


class Queue(Protocol):
    """Where work is asked for."""

    def add(self, key: str) -> None:
        """Ask for a tenant's work at once: what is wanted of it changed."""

    def nudge(self, key: str) -> None:
        """Ask for a tenant's work, without hastening a retry: something of it changed."""


def register(registry: kopf.OperatorRegistry, world: World, queue: Queue) -> None:
    """Keep the world as kopf tells it, and ask for the work of the tenants that this concerns."""

    @kopf.on.event(GROUP, VERSION, "memorytenants", registry=registry)
    async def on_tenant_event(event: kopf.RawEvent, **_: Any) -> None:
        document = cast("Document", event["object"])
        change = world.observe_tenant(document, deleted=event["type"] == _DELETED)
        ask = {Change.WANTED: queue.add, Change.STATUS: queue.nudge}.get(change)
        if ask:
            ask(document["metadata"]["name"])

    @kopf.on.event(GROUP, VERSION, "memorytiers", registry=registry)
    async def on_tier_event(event: kopf.RawEvent, **_: Any) -> None:
        for tenant in world.observe_tier(cast("Document", event["object"]), deleted=event["type"] == _DELETED):
            queue.add(tenant)
