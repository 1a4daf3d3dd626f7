"""The tenants that exist: their documents, kept in the data folder, and what becomes of data that one leaves."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from loci_resources.tenant import ADOPT, DeletionPolicy, MemoryTenant, MemoryTenantSpec, MemoryTenantStatus
from loci_resources.tier import MemoryTier
from loci_runtime.errors import ConflictError, InvalidError
from loci_standalone import documents
from loci_standalone.errors import DiskFullError, RetainedDataError, TenantRefusedError
from loci_standalone.host import Host

_RETRY_FULL: Final = 30
_DISK_FULL: Final = "The volume of the data folder is full: free space on it or enlarge it, then retry."


class FolderStore:
    """The admin API's TenantStore: one document a tenant, each running in the host; changes come one after another."""

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
                name = tenant.metadata.name
                self._held[name] = tenant
                if reason := self._host.problem_of(name):
                    problems.append(f"tenant {name} is not serving, its data cannot be opened ({reason}); retrying")
        return problems

    async def tiers(self) -> Sequence[MemoryTier]:
        """Every tier there is."""
        return self._host.tiers

    async def all(self) -> Sequence[MemoryTenant]:
        """Every tenant, by name."""
        return [_with_status(self._held[name]) for name in sorted(self._held)]

    async def get(self, name: str) -> MemoryTenant | None:
        """One tenant, or None."""
        held = self._held.get(name)
        return _with_status(held) if held else None

    async def create(self, tenant: MemoryTenant) -> None:
        """Add a tenant; ConflictError when there is one of that name, or data that one left."""
        async with self._changing:
            if tenant.metadata.name in self._held:
                raise ConflictError(f"There is a tenant {tenant.metadata.name} already.", "body.name")
            try:
                await self._put(tenant)
            except RetainedDataError as error:
                raise ConflictError(str(error), "body.name") from None

    async def change(self, name: str, changed: Callable[[MemoryTenantSpec], MemoryTenantSpec]) -> MemoryTenant | None:
        """Replace a tenant's spec by what the function makes of its present one; None when there is none."""
        async with self._changing:
            held = self._held.get(name)
            if held is None:
                return None
            try:
                await self._put(held.model_copy(update={"spec": changed(held.spec)}))
            except TenantRefusedError as error:
                raise InvalidError(str(error)) from None
            return _with_status(self._held[name])

    async def put(self, tenant: MemoryTenant) -> None:
        """Create a tenant or replace it whole; TenantRefusedError when it cannot be."""
        async with self._changing:
            await self._put(tenant)

    async def delete(self, name: str) -> bool:
        """Stop a tenant and forget it; its data goes or stays as its deletion policy says. False when there is none."""
        async with self._changing:
            tenant = self._held.pop(name, None)
            if tenant is None:
                return False
            self._path(name).unlink(missing_ok=True)
            await self._host.remove(name, purge=tenant.spec.deletion_policy is DeletionPolicy.DELETE)
            return True

    async def _put(self, tenant: MemoryTenant) -> None:
        name = tenant.metadata.name
        self._host.record(tenant)  # refuses before anything is written
        if name not in self._held:
            self._refuse_foreign_data(tenant)
        try:
            documents.write(self._path(name), tenant)
        except OSError as error:
            if error.errno in {errno.ENOSPC, errno.EDQUOT}:
                raise DiskFullError(_DISK_FULL, retry_after=_RETRY_FULL) from error
            raise
        try:
            await self._host.put(tenant)
        except BaseException:
            if name not in self._held:
                self._path(name).unlink(missing_ok=True)
            raise
        self._held[name] = tenant

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}.yaml"

    def _refuse_foreign_data(self, tenant: MemoryTenant) -> None:
        data = self._host.data_of(tenant.metadata.name)
        if data.exists() and tenant.metadata.annotations.get(ADOPT) != "true":
            raise RetainedDataError(
                f"An earlier tenant named {tenant.metadata.name} left its data in {data}: remove that folder, choose "
                f'another name, or take the data over with a document that has the annotation {ADOPT}: "true".'
            )


def _with_status(tenant: MemoryTenant) -> MemoryTenant:
    phase = "Suspended" if tenant.spec.suspend else "Ready"
    return tenant.model_copy(update={"status": MemoryTenantStatus(phase=phase)})
