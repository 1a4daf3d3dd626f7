"""The tenants and tiers there are, as last observed."""

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
    """What an observation of a tenant says that was not known before."""

    NOTHING = auto()
    """Nothing: it is an echo of what the operator wrote itself, or was told twice."""
    STATUS = auto()
    """Somebody else wrote to the status."""
    WANTED = auto()
    """What is wanted changed: the spec, the metadata, or whether the tenant is there."""


@dataclass
class World:
    """Tenants and readable tiers by name."""

    tenants: dict[str, Known] = field(default_factory=dict)
    tiers: dict[str, MemoryTier] = field(default_factory=dict)
    written: dict[str, MemoryTenantStatus] = field(default_factory=dict)
    """The status that the operator last wrote, or was about to write, of each tenant."""

    def observe_tenant(self, document: Document, *, deleted: bool = False) -> Change:
        """Take in a tenant's object."""
        name: str = document["metadata"]["name"]
        before = self.tenants.get(name)
        if deleted:
            return self._drop_tenant(name, document["metadata"].get("uid"))
        after = self.tenants[name] = read_tenant(document)
        if after.problems and (before is None or before.problems != after.problems):
            structlog.get_logger().error("spec cannot be read", tenant_id=name, problems=len(after.problems))
        if before is None or _wanted(before) != _wanted(after):
            return Change.WANTED
        is_own = after.tenant.status in (self.written.get(name), before.tenant.status)
        return Change.NOTHING if is_own else Change.STATUS

    def observe_tier(self, document: Document, *, deleted: bool = False) -> list[str]:
        """Take in a tier's object; return the names of its tenants."""
        name: str = document["metadata"]["name"]
        try:
            tier = None if deleted else MemoryTier.model_validate(document)
        except ValidationError as error:
            structlog.get_logger().error("tier cannot be read", tier=name, problems=error.error_count())
            tier = None
        if tier is None:
            self.tiers.pop(name, None)
        else:
            self.tiers[name] = tier
        return [tenant for tenant, known in self.tenants.items() if known.tenant.spec.tier == name]

    def foreign_hashes(self, name: str) -> frozenset[str]:
        """Hashes of a tenant's own keys that other tenants list, or were generated for them.

        Costs a look at every tenant's keys, so it is asked only for tenants that bring hashes of their own.
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

        They are those of `before` that a list, asked for after it, no longer holds; one observed meanwhile stays.
        """
        gone = [name for name, known in before.items() if name not in there and self.tenants.get(name) is known]
        for name in gone:
            self._drop(name)
        return gone

    def _drop_tenant(self, name: str, uid: str | None) -> Change:
        """News of an earlier object of the name may come late."""
        known = self.tenants.get(name)
        if known is not None and known.tenant.metadata.uid == uid:
            self._drop(name)
        return Change.WANTED

    def _drop(self, name: str) -> None:
        del self.tenants[name]
        self.written.pop(name, None)


def _wanted(known: Known) -> object:
    return known.tenant.metadata, known.tenant.spec, known.allowed, known.problems
