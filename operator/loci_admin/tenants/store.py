"""The port: where MemoryTenant objects are kept. A cluster's API server, or a folder for `loci serve`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from loci_resources.tenant import MemoryTenant, MemoryTenantSpec
from loci_resources.tier import MemoryTier


class TenantStore(Protocol):
    """Keeps tenants. Any method may raise UnavailableError."""

    async def tiers(self) -> Sequence[MemoryTier]:
        """Every tier there is."""

    async def create(self, tenant: MemoryTenant) -> None:
        """Add a tenant; ConflictError when there is one of that name, or data that one left."""

    async def get(self, name: str) -> MemoryTenant | None:
        """One tenant, or None."""

    async def all(self) -> Sequence[MemoryTenant]:
        """Every tenant, by name."""

    async def change(self, name: str, changed: Callable[[MemoryTenantSpec], MemoryTenantSpec]) -> MemoryTenant | None:
        """Replace a tenant's spec by what the function makes of its present one; None when there is none.

        The function may be called again when somebody else changed the tenant meanwhile.
        """

    async def delete(self, name: str) -> bool:
        """Remove a tenant; false when there is none."""
