"""The tenants that exist: their documents, kept in the data folder, and what becomes of data that one leaves."""

from __future__ import annotations

import asyncio
from pathlib import Path

from loci_operator.api.tenant import ADOPT, DeletionPolicy, MemoryTenant
from loci_standalone import documents
from loci_standalone.errors import RetainedDataError, TenantRefusedError
from loci_standalone.host import Host


class Tenants:
    """One document a tenant, each running in the host; changes come one after another."""

    def __init__(self, folder: Path, host: Host) -> None:
        self._folder = folder
        self._host = host
        self._held: dict[str, MemoryTenant] = {}
        self._changing = asyncio.Lock()

    async def load(self) -> list[str]:
        """Start every tenant that is kept; gives what is wrong with those that could not."""
        problems = []
        for path in sorted(self._folder.glob("*.yaml")):
            try:
                (tenant,) = documents.read(path)
                await self._host.put(tenant)
            except TenantRefusedError as error:
                problems.append(str(error))
            else:
                self._held[tenant.metadata.name] = tenant
        return problems

    def all(self) -> list[MemoryTenant]:
        """Every tenant, by name."""
        return [self._held[name] for name in sorted(self._held)]

    def get(self, name: str) -> MemoryTenant | None:
        """One tenant."""
        return self._held.get(name)

    async def put(self, tenant: MemoryTenant) -> None:
        """Create or change a tenant; RetainedDataError when it would see what an earlier one left."""
        async with self._changing:
            name = tenant.metadata.name
            self._host.record(tenant)  # refuses before anything is written
            if name not in self._held:
                self._refuse_foreign_data(tenant)
            documents.write(self._path(name), tenant)
            await self._host.put(tenant)
            self._held[name] = tenant

    async def delete(self, name: str) -> None:
        """Stop a tenant and forget it; its data goes or stays as its deletion policy says."""
        async with self._changing:
            tenant = self._held.pop(name)
            purge = tenant.spec.deletion_policy is DeletionPolicy.DELETE
            await self._host.remove(name, purge=purge)
            self._path(name).unlink(missing_ok=True)

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}.yaml"

    def _refuse_foreign_data(self, tenant: MemoryTenant) -> None:
        data = self._host.data_of(tenant.metadata.name)
        if data.exists() and tenant.metadata.annotations.get(ADOPT) != "true":
            raise RetainedDataError(
                f"a deleted tenant named {tenant.metadata.name} left its data in {data}: remove that folder, choose "
                f'another name, or take the data over with a document that has the annotation {ADOPT}: "true"'
            )
