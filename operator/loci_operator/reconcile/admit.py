"""Whether a tenant's spec can be met, before anything is made for it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from loci_contract.names import namespace
from loci_contract.registry import Limits
from loci_operator.reconcile.reading import Known
from loci_resources.derived import effective_limits
from loci_resources.errors import RejectedError
from loci_resources.tenant import ADOPT, MemoryTenant
from loci_resources.tier import MemoryTier, StorageProfile

TERMINATING = "NamespaceTerminating"
"""Reason: the namespace is being deleted, and nothing can be made in it."""


@dataclass(frozen=True)
class NamespaceState:
    """A tenant's namespace as it is now.

    Args:
        owner: uid of the tenant that it belongs to; empty when that is nobody known.
        terminating: whether it is being deleted.
        held_by: what keeps it from being gone, in the namespace's own words.
    """

    owner: str
    terminating: bool = False
    held_by: str = ""


def admit(known: Known, tiers: Mapping[str, MemoryTier], found: NamespaceState | None) -> tuple[MemoryTier, Limits]:
    """The tier and effective limits of a tenant that may be made.

    Args:
        known: the tenant.
        tiers: every readable tier by name.
        found: the tenant's namespace; None when there is none.

    Raises:
        RejectedError: it may not; says which condition tells it, and what to do.
    """
    if known.problems:
        message = f"The spec cannot be read: {'; '.join(known.problems)}. Correct these fields."
        raise RejectedError("Ready", "SpecInvalid", message)
    tier = _tier(known.tenant, tiers)
    limits = effective_limits(known.tenant, tier)
    if found is not None:
        _check_namespace(known.tenant, found)
    return tier, limits


def _tier(tenant: MemoryTenant, tiers: Mapping[str, MemoryTier]) -> MemoryTier:
    tier = tiers.get(tenant.spec.tier)
    if tier is None:
        there = ", ".join(sorted(tiers)) or "none"
        message = f"There is no valid MemoryTier {tenant.spec.tier}: set spec.tier to one of {there}."
        raise RejectedError("Ready", "UnknownTier", message)
    profile = tenant.spec.storage.profile or tier.spec.storage_profile
    if profile is not StorageProfile.EMBEDDED:
        message = f"Storage profile {profile} is not supported yet: use embedded."
        raise RejectedError("StoresReady", "ProfileNotSupported", message)
    return tier


def _check_namespace(tenant: MemoryTenant, found: NamespaceState) -> None:
    """Take over no namespace that is not this very tenant's, and make nothing in one that is being deleted."""
    name = namespace(tenant.metadata.name)
    if found.terminating:
        held_by = found.held_by or "Kubernetes is removing its content."
        message = f"Namespace {name} is being deleted; the tenant is made anew once it is gone. {held_by}"
        raise RejectedError("NamespaceReady", TERMINATING, message)
    if found.owner == tenant.metadata.uid or tenant.metadata.annotations.get(ADOPT) == "true":
        return
    message = (
        f"Namespace {name} is there already, with data of an earlier tenant or of others: annotate this tenant "
        f'with {ADOPT}="true" to take it over, or delete the namespace.'
    )
    raise RejectedError("NamespaceReady", "RetainedDataExists", message)
