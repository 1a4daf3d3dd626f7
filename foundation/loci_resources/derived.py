"""Derive effective limits and the registry record from a tenant and its tier. Pure; also used by `loci serve`."""

from __future__ import annotations

from collections.abc import Sequence

from loci_contract.registry import KeyRecord, Limits, RegistryRecord, TenantState
from loci_resources.errors import RejectedError
from loci_resources.storage import PLACEMENTS, Placement
from loci_resources.tenant import MemoryTenant
from loci_resources.tier import MemoryTier, StorageProfile


def storage_profile(tenant: MemoryTenant, tier: MemoryTier) -> StorageProfile:
    """The tenant's storage profile, or its tier's."""
    return tenant.spec.storage.profile or tier.spec.storage_profile


def placement(tenant: MemoryTenant, tier: MemoryTier) -> Placement:
    """Where each of the tenant's stores is: as it says for the store, or else as its profile does."""
    storage, places = tenant.spec.storage, PLACEMENTS[storage_profile(tenant, tier)]
    return Placement(
        records=storage.records or places.records,
        vectors=storage.vectors or places.vectors,
        graph=storage.graph or places.graph,
        cache=storage.cache or places.cache,
    )


def volume_size(tenant: MemoryTenant, tier: MemoryTier) -> str:
    """Size of each of the tenant's volumes, a quantity: its own, or its tier's."""
    return tenant.spec.storage.size or tier.spec.storage_size


def effective_limits(tenant: MemoryTenant, tier: MemoryTier) -> Limits:
    """Limits of the tier with the tenant's overrides applied.

    Raises:
        RejectedError: the tenant sets limits and the tier does not allow overrides.
    """
    overrides = tenant.spec.limits.model_dump(exclude_none=True)
    if overrides and not tier.spec.allow_overrides:
        name = tier.metadata.name
        message = f"Tier {name} does not allow limit overrides. Remove spec.limits or choose another tier."
        raise RejectedError("Ready", "OverridesNotAllowed", message)
    return Limits.model_validate({**tier.spec.model_dump(include=set(Limits.model_fields)), **overrides})


def registry_record(
    tenant: MemoryTenant, tier: MemoryTier, keys: Sequence[KeyRecord], upstream: str, ingress_token: str
) -> RegistryRecord:
    """Registry record of the tenant for the ingress; `upstream` is its pod's host:port."""
    return RegistryRecord(
        tenant=tenant.metadata.name,
        tier=tier.metadata.name,
        state=TenantState.SUSPENDED if tenant.spec.suspend else TenantState.ACTIVE,
        priority=tier.spec.priority,
        limits=effective_limits(tenant, tier),
        costs=tier.spec.costs,
        keys=tuple(keys),
        upstream=upstream,
        ingress_token=ingress_token,
    )
