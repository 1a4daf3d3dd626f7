"""TenantStore of `loci serve`: tenant documents in the data folder, and the data that deleted tenants retain.

Changes are serialised by a lock. A document is written before its tenant starts, so that a crash leaves a tenant that
the next start completes. A tenant that cannot be opened responds 503 and is retried in the background.
"""

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
    """TenantStore that keeps one document per tenant and runs the tenants in the host."""

    def __init__(self, folder: Path, host: Host) -> None:
        self._folder = folder
        self._host = host
        self._held: dict[str, MemoryTenant] = {}
        self._changing = asyncio.Lock()

    async def load(self) -> list[str]:
        """Start all stored tenants; return a message for each that is not serving."""
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
                    problems.append(
                        f"tenant {name} is not serving because its data cannot be opened ({reason}); retrying"
                    )
        return problems

    async def tiers(self) -> Sequence[MemoryTier]:
        """All tiers."""
        return self._host.tiers

    async def all(self) -> Sequence[MemoryTenant]:
        """All tenants ordered by name."""
        return [_with_status(self._held[name]) for name in sorted(self._held)]

    async def get(self, name: str) -> MemoryTenant | None:
        """One tenant, or None."""
        held = self._held.get(name)
        return _with_status(held) if held else None

    async def create(self, tenant: MemoryTenant) -> None:
        """Add a tenant; raises ConflictError if one of that name, or data retained from one, exists."""
        async with self._changing:
            if tenant.metadata.name in self._held:
                raise ConflictError(f"Tenant {tenant.metadata.name} already exists.", "body.name")
            try:
                await self._put(tenant)
            except RetainedDataError as error:
                raise ConflictError(str(error), "body.name") from None

    async def change(self, name: str, changed: Callable[[MemoryTenantSpec], MemoryTenantSpec]) -> MemoryTenant | None:
        """Replace a tenant's spec with the function's result for its current one; None if there is no such tenant."""
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
        """Create or replace a tenant; raises TenantRefusedError if its spec is rejected."""
        async with self._changing:
            await self._put(tenant)

    async def delete(self, name: str) -> bool:
        """Delete a tenant, and its data unless its deletion policy retains it; return false if it does not exist."""
        async with self._changing:
            tenant = self._held.pop(name, None)
            if tenant is None:
                return False
            self._path(name).unlink(missing_ok=True)
            await self._host.remove(name, purge=tenant.spec.deletion_policy is DeletionPolicy.DELETE)
            return True

    async def _put(self, tenant: MemoryTenant) -> None:
        name = tenant.metadata.name
        self._host.record(tenant)  # raises before anything is written
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
                f"Data of an earlier tenant named {tenant.metadata.name} exists in {data}. Delete that folder, choose "
                f'another name, or adopt the data with a document that has the annotation {ADOPT}: "true".'
            )


def _with_status(tenant: MemoryTenant) -> MemoryTenant:
    phase = "Suspended" if tenant.spec.suspend else "Ready"
    return tenant.model_copy(update={"status": MemoryTenantStatus(phase=phase)})
