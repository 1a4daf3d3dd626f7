"""In-memory cache of tenants and tiers as last observed.

An observation is classified by how it differs from the previous one, because the operator's own status writes come back
as watch events: without that, every write would trigger another reconcile.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto

import structlog
from pydantic import ValidationError

from loci_contract.keys import key_id
from loci_operator.reconcile.reading import Document, Known, read_tenant
from loci_resources.tenant import MemoryTenantStatus
from loci_resources.tier import MemoryTier


class Change(Enum):
    """Kind of difference between two observations of a tenant."""

    NOTHING = auto()
    """No change: a duplicate event, or the event of the operator's own write."""
    STATUS = auto()
    """The status was changed by another client."""
    WANTED = auto()
    """The desired state changed: the spec, the metadata, or the tenant's existence."""


@dataclass
class World:
    """Tenants and readable tiers by name."""

    tenants: dict[str, Known] = field(default_factory=dict)
    tiers: dict[str, MemoryTier] = field(default_factory=dict)
    written: dict[str, MemoryTenantStatus] = field(default_factory=dict)
    """Status per tenant that the operator last wrote or is about to write."""

    def observe_tenant(self, document: Document, *, deleted: bool = False) -> Change:
        """Update a tenant from its object; return the kind of change."""
        name: str = document["metadata"]["name"]
        before = self.tenants.get(name)
        if deleted:
            return self._drop_tenant(name, document["metadata"].get("uid"))
        after = self.tenants[name] = read_tenant(document)
        if after.problems and (before is None or before.problems != after.problems):
            structlog.get_logger().error("tenant spec is invalid", tenant_id=name, problems=len(after.problems))
        if before is None or _wanted(before) != _wanted(after):
            return Change.WANTED
        is_own = after.tenant.status in (self.written.get(name), before.tenant.status)
        return Change.NOTHING if is_own else Change.STATUS

    def observe_tier(self, document: Document, *, deleted: bool = False) -> list[str]:
        """Update a tier from its object; return the names of its tenants."""
        name: str = document["metadata"]["name"]
        try:
            tier = None if deleted else MemoryTier.model_validate(document)
        except ValidationError as error:
            structlog.get_logger().error("tier is invalid", tier=name, problems=error.error_count())
            tier = None
        if tier is None:
            self.tiers.pop(name, None)
        else:
            self.tiers[name] = tier
        return [tenant for tenant, known in self.tenants.items() if known.tenant.spec.tier == name]

    def foreign_hashes(self, name: str) -> frozenset[str]:
        """Key hashes declared by a tenant that also belong to other tenants, declared or generated.

        Scans the keys of all tenants, and only if the tenant declares hashes itself.
        """
        own = {key.sha256 for key in self.tenants[name].allowed if key.sha256}
        if not own:
            return frozenset()
        others = [known for other, known in self.tenants.items() if other != name]
        listed = {key.sha256 for known in others for key in known.allowed if key.sha256}
        generated = {key.id for known in others for key in known.tenant.status.api_keys}
        return frozenset(digest for digest in own if digest in listed or key_id(digest) in generated)

    def drop_missed(self, before: Mapping[str, Known], there: Collection[str]) -> list[str]:
        """Drop tenants whose deletion event was missed; return their names.

        `before` is a snapshot taken before the list request, `there` the listed names; a tenant observed since then
        is kept.
        """
        gone = [name for name, known in before.items() if name not in there and self.tenants.get(name) is known]
        for name in gone:
            self._drop(name)
        return gone

    def _drop_tenant(self, name: str, uid: str | None) -> Change:
        """Drop a tenant unless the event is a late one about an earlier object of the same name."""
        known = self.tenants.get(name)
        if known is not None and known.tenant.metadata.uid == uid:
            self._drop(name)
        return Change.WANTED

    def _drop(self, name: str) -> None:
        del self.tenants[name]
        self.written.pop(name, None)


def _wanted(known: Known) -> object:
    return known.tenant.metadata, known.tenant.spec, known.allowed, known.problems
