"""kopf event handlers for tenants and tiers. Only `on.event` is used, because it writes nothing to the objects."""

from __future__ import annotations

from typing import Any, Final, Protocol, cast

import kopf

from loci_contract.names import GROUP, VERSION
from loci_operator.reconcile.reading import Document
from loci_operator.world import Change, World

_DELETED: Final = "DELETED"


class Queue(Protocol):
    """Port to the work queue."""

    def add(self, key: str) -> None:
        """Queue a tenant immediately because its desired state changed."""

    def nudge(self, key: str) -> None:
        """Queue a tenant because its observed state changed; a pending retry keeps its back-off."""


def register(handlers: kopf.OperatorRegistry, world: World, queue: Queue) -> None:
    """Register handlers that update the world and queue the affected tenants."""

    @kopf.on.event(GROUP, VERSION, "memorytenants", registry=handlers)
    async def on_tenant_event(event: kopf.RawEvent, **_: Any) -> None:
        document = cast("Document", event["object"])
        change = world.observe_tenant(document, deleted=event["type"] == _DELETED)
        ask = {Change.WANTED: queue.add, Change.STATUS: queue.nudge}.get(change)
        if ask:
            ask(document["metadata"]["name"])

    @kopf.on.event(GROUP, VERSION, "memorytiers", registry=handlers)
    async def on_tier_event(event: kopf.RawEvent, **_: Any) -> None:
        for tenant in world.observe_tier(cast("Document", event["object"]), deleted=event["type"] == _DELETED):
            queue.add(tenant)
