"""Admission: decide whether a tenant's spec can be satisfied before anything is created. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from loci_contract.names import namespace
from loci_contract.registry import Limits
from loci_operator.reconcile.reading import Known
from loci_resources.derived import effective_limits, placement
from loci_resources.errors import RejectedError
from loci_resources.storage import EMBEDDED_ONLY, PLACEMENTS, Available, Placement, StoreKind
from loci_resources.tenant import ADOPT, MemoryTenant
from loci_resources.tier import MemoryTier, StorageProfile

TERMINATING = "NamespaceTerminating"
"""Condition reason: the namespace is being deleted, so no objects can be created in it."""


@dataclass(frozen=True)
class NamespaceState:
    """Current state of a tenant's namespace.

    Args:
        owner: uid of the tenant it belongs to; empty if unknown.
        terminating: whether it is being deleted.
        held_by: what blocks its deletion, from the namespace's own conditions.
        places: where its data is.
    """

    owner: str
    terminating: bool = False
    held_by: str = ""
    places: Placement = PLACEMENTS[StorageProfile.EMBEDDED]


def admit(
    known: Known,
    tiers: Mapping[str, MemoryTier],
    found: NamespaceState | None,
    available: Available = EMBEDDED_ONLY,
) -> tuple[MemoryTier, Limits]:
    """Tier and effective limits of an admitted tenant.

    Args:
        known: the tenant.
        tiers: every valid tier by name.
        found: the tenant's namespace; None if it does not exist.
        available: what each store can be in this installation.

    Raises:
        RejectedError: the tenant is not admitted; carries the condition, reason and message to report.
    """
    if known.problems:
        message = f"The spec is invalid: {'; '.join(known.problems)}. Correct these fields."
        raise RejectedError("Ready", "SpecInvalid", message)
    tier = _tier(known.tenant, tiers)
    places = placement(known.tenant, tier)
    _check_available(known.tenant, places, available)
    _check_replicas(known.tenant, places)
    limits = effective_limits(known.tenant, tier)
    if found is not None:
        _check_namespace(known.tenant, found)
        _check_places(places, found.places)
    return tier, limits


def _tier(tenant: MemoryTenant, tiers: Mapping[str, MemoryTier]) -> MemoryTier:
    tier = tiers.get(tenant.spec.tier)
    if tier is None:
        there = ", ".join(sorted(tiers)) or "none"
        message = f"MemoryTier {tenant.spec.tier} does not exist or is invalid. Set spec.tier to one of: {there}."
        raise RejectedError("Ready", "UnknownTier", message)
    return tier


def _check_available(tenant: MemoryTenant, places: Placement, available: Available) -> None:
    """Refuse stores that are not there; a shared cache only if the tenant asks for it by itself."""
    if tenant.spec.storage.cache is None and places.cache is StoreKind.SHARED:
        places = places._replace(cache=StoreKind.EMBEDDED)
    if missing := places.missing(available):
        message = (
            f"This installation has no such stores: {', '.join(missing)}. Set the chart's values stores.* "
            "(docs/storage.md), or choose another storage profile."
        )
        raise RejectedError("StoresReady", "ProfileNotSupported", message)


def _check_places(wanted: Placement, held: Placement) -> None:
    """The data would stay behind: nothing moves it from one store to another yet."""
    if moved := held.moved_to(wanted):
        message = (
            f"Data would be lost: {'; '.join(moved)}. Set spec.storage back or keep a tier with storage profile "
            f"{held.profile}, or make another tenant and copy the data."
        )
        raise RejectedError("StoresReady", "ProfileChangeRefused", message)


def _check_replicas(tenant: MemoryTenant, places: Placement) -> None:
    if places.has_volume and (tenant.spec.replicas or 1) > 1:
        message = (
            "Records or vectors are embedded in the pod, so there can be only one: remove spec.replicas, or choose "
            "storage outside the pod."
        )
        raise RejectedError("DataPlaneReady", "ReplicasNotPossible", message)


def _check_namespace(tenant: MemoryTenant, found: NamespaceState) -> None:
    """Reject a terminating namespace, and one that belongs to another tenant unless adoption is requested."""
    name = namespace(tenant.metadata.name)
    if found.terminating:
        held_by = found.held_by or "Kubernetes is deleting its content."
        message = f"Namespace {name} is being deleted; the tenant will be created once that is complete. {held_by}"
        raise RejectedError("NamespaceReady", TERMINATING, message)
    if found.owner == tenant.metadata.uid or tenant.metadata.annotations.get(ADOPT) == "true":
        return
    message = (
        f"Namespace {name} already exists and does not belong to this tenant; it may hold an earlier tenant's data. "
        f'Annotate this tenant with {ADOPT}="true" to adopt it, or delete the namespace.'
    )
    raise RejectedError("NamespaceReady", "RetainedDataExists", message)
