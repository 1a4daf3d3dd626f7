"""Tenants and tiers as kopf tells of them. Only `on.event`: it writes nothing to the objects."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import kopf
import structlog
from pydantic import ValidationError

from loci_contract.names import GROUP, VERSION
from loci_operator.api.tenant import MemoryTenant
from loci_operator.api.tier import MemoryTier
from loci_operator.engine import World

Resource = TypeVar("Resource", MemoryTenant, MemoryTier)


def register(registry: kopf.OperatorRegistry, world: World, changed: Callable[[str], None]) -> None:
    """Keep the world as kopf tells it, and say which tenants that concerns."""

    @kopf.on.event(GROUP, VERSION, "memorytenants", registry=registry)
    async def on_tenant_event(event: kopf.RawEvent, **_: Any) -> None:
        document = cast("dict[str, Any]", event["object"])
        name = document["metadata"]["name"]
        if event["type"] == "DELETED":
            world.tenants.pop(name, None)
        elif tenant := _read(MemoryTenant, document):
            world.tenants[name] = tenant
        changed(name)

    @kopf.on.event(GROUP, VERSION, "memorytiers", registry=registry)
    async def on_tier_event(event: kopf.RawEvent, **_: Any) -> None:
        document = cast("dict[str, Any]", event["object"])
        name = document["metadata"]["name"]
        if event["type"] == "DELETED":
            world.tiers.pop(name, None)
        elif tier := _read(MemoryTier, document):
            world.tiers[name] = tier
        for tenant in [t for t in world.tenants.values() if t.spec.tier == name]:
            changed(tenant.metadata.name)


def _read(model: type[Resource], document: dict[str, Any]) -> Resource | None:
    """The object, or None when it is not of our schema: one from another version must not stop the others."""
    try:
        return model.model_validate(document)
    except ValidationError as error:
        structlog.get_logger().error(
            "cannot read object", name=document["metadata"]["name"], problems=error.error_count()
        )
        return None
