"""Port to the storage of MemoryTenant objects: the Kubernetes API server, or a folder in `loci serve`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from loci_resources.tenant import MemoryTenant, MemoryTenantSpec
from loci_resources.tier import MemoryTier


class TenantStore(Protocol):
    """Stores tenants. Any method may raise UnavailableError."""

    async def tiers(self) -> Sequence[MemoryTier]:
        """All tiers."""

    async def create(self, tenant: MemoryTenant) -> None:
        """Add a tenant; raises ConflictError if one of that name, or data retained from one, exists."""

    async def get(self, name: str) -> MemoryTenant | None:
        """One tenant, or None."""

    async def all(self) -> Sequence[MemoryTenant]:
        """All tenants ordered by name."""

    async def change(self, name: str, changed: Callable[[MemoryTenantSpec], MemoryTenantSpec]) -> MemoryTenant | None:
        """Replace a tenant's spec with the function's result for its current one; None if there is no such tenant.

        The function may be called again after a concurrent change.
        """

    async def delete(self, name: str) -> bool:
        """Delete a tenant; return false if it does not exist."""
