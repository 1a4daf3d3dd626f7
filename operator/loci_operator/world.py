"""The tenants and tiers there are, as last told."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import structlog
from pydantic import ValidationError

from loci_resources.tenant import MemoryTenant
from loci_resources.tier import MemoryTier

Resource = TypeVar("Resource", MemoryTenant, MemoryTier)
Document = Mapping[str, Any]


@dataclass
class World:
    """Tenants and tiers by name."""

    tenants: dict[str, MemoryTenant] = field(default_factory=dict)
    tiers: dict[str, MemoryTier] = field(default_factory=dict)

    def told_of_tenant(self, document: Document, *, deleted: bool = False) -> str:
        """Take in a tenant's object; its name."""
        return _take_in(self.tenants, MemoryTenant, document, deleted=deleted)

    def told_of_tier(self, document: Document, *, deleted: bool = False) -> list[str]:
        """Take in a tier's object; the names of its tenants."""
        name = _take_in(self.tiers, MemoryTier, document, deleted=deleted)
        return [tenant.metadata.name for tenant in self.tenants.values() if tenant.spec.tier == name]

    def forget_gone(self, before: Mapping[str, MemoryTenant], there: Collection[str]) -> list[str]:
        """Forget tenants that a list, asked for after `before`, no longer holds; their names.

        A watch that breaks at the wrong moment tells of no deletion. A tenant that was told of meanwhile stays.
        """
        gone = [name for name, known in before.items() if name not in there and self.tenants.get(name) is known]
        for name in gone:
            del self.tenants[name]
        return gone


def _take_in(held: dict[str, Resource], model: type[Resource], document: Document, *, deleted: bool) -> str:
    """One that cannot be read, as from another version of the schema, must not stop the others."""
    name: str = document["metadata"]["name"]
    if deleted:
        # News of an earlier object of the name may come late.
        if name in held and held[name].metadata.uid == document["metadata"].get("uid"):
            del held[name]
        return name
    try:
        held[name] = model.model_validate(document)
    except ValidationError as error:
        structlog.get_logger().error("cannot read object", name=name, problems=error.error_count())
    return name
