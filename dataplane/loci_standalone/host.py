"""The tenants that run in this process: each one's data plane, and the policy's registry of them."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from loci_contract.keys import generate_token
from loci_contract.registry import KeyRecord, RegistryRecord
from loci_dataplane.app import create_app, running
from loci_dataplane.deps import Deps, Services
from loci_dataplane.metrics import Families
from loci_dataplane.stores.embedded import embedded_stores
from loci_dataplane.stores.ports import Embedder
from loci_operator.api.derive import registry_record
from loci_operator.api.tenant import MemoryTenant
from loci_operator.api.tier import MemoryTier, StorageProfile
from loci_operator.errors import RejectedError
from loci_policy.registry import Changed, Registry, Removed
from loci_standalone.errors import TenantRefusedError


@dataclass
class _Running:
    app: FastAPI
    record: RegistryRecord
    stop: asyncio.Event
    task: asyncio.Task[None]


class Host:
    """Starts, changes and stops tenants."""

    def __init__(
        self,
        folder: Path,
        embedder: Embedder,
        registry: Registry,
        tiers: Sequence[MemoryTier],
        metrics: CollectorRegistry,
    ) -> None:
        self._folder = folder
        self._embedder = embedder
        self._registry = registry
        self.tiers = tiers
        self._metrics = metrics
        self._families = Families(metrics)
        self._running: dict[str, _Running] = {}

    def record(self, tenant: MemoryTenant) -> RegistryRecord:
        """What a tenant comes to; TenantRefusedError when it cannot be."""
        tiers = {tier.metadata.name: tier for tier in self.tiers}
        tier = tiers.get(tenant.spec.tier)
        if tier is None:
            raise TenantRefusedError(f"spec.tier: must be one of {', '.join(tiers)}")
        if (tenant.spec.storage.profile or tier.spec.storage_profile) is not StorageProfile.EMBEDDED:
            raise TenantRefusedError("spec.storage.profile: only embedded storage exists in one process")
        held = self._running.get(tenant.metadata.name)
        token = held.record.ingress_token if held else generate_token()
        keys = [
            KeyRecord(name=key.name, sha256=key.sha256, scopes=frozenset(key.scopes), expires_at=key.expires_at)
            for key in tenant.spec.api_keys
            if key.sha256
        ]
        try:
            return registry_record(tenant, tier, keys, upstream="in-process", ingress_token=token)
        except RejectedError as error:
            raise TenantRefusedError(error.message) from None

    async def put(self, tenant: MemoryTenant) -> None:
        """Start a tenant, or let a running one be as it is described now."""
        record = self.record(tenant)
        if held := self._running.get(record.tenant):
            held.record = record
        else:
            self._running[record.tenant] = await self._start(record)
        self._registry.apply(Changed(record))

    async def remove(self, name: str, *, purge: bool) -> None:
        """Stop a tenant, and remove its data when that is to go."""
        self._registry.apply(Removed(name))
        if held := self._running.pop(name, None):
            held.stop.set()
            await held.task
        if purge:
            await asyncio.to_thread(shutil.rmtree, self.data_of(name), ignore_errors=True)

    async def close(self) -> None:
        """Stop every tenant; all data stays."""
        for name in list(self._running):
            await self.remove(name, purge=False)

    def app_of(self, name: str) -> FastAPI:
        """A running tenant's application."""
        return self._running[name].app

    def data_of(self, name: str) -> Path:
        """Where a tenant's data lies."""
        return self._folder / name

    async def refresh(self) -> None:
        """Bring those metrics up to date that are not counted as things happen."""
        for held in list(self._running.values()):
            services: Services = held.app.state.services
            await services.refresh()

    async def _start(self, record: RegistryRecord) -> _Running:
        started: asyncio.Future[FastAPI] = asyncio.get_running_loop().create_future()
        stop = asyncio.Event()
        task = asyncio.create_task(self._run(record, started, stop))
        # Whichever comes first: the application, or what kept it from starting.
        either: set[asyncio.Future[Any]] = {started, task}
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            started.cancel()
            task.result()
        return _Running(started.result(), record, stop, task)

    async def _run(self, record: RegistryRecord, started: asyncio.Future[FastAPI], stop: asyncio.Event) -> None:
        """A task of its own per tenant: what it opens is closed by the same task, whoever asks for it."""
        async with self._application(record) as app:
            started.set_result(app)
            await stop.wait()

    @asynccontextmanager
    async def _application(self, record: RegistryRecord) -> AsyncIterator[FastAPI]:
        folder = self.data_of(record.tenant)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        async with embedded_stores(folder) as (records, vectors):
            deps = Deps(
                tenant=record.tenant,
                ingress_token=record.ingress_token.encode,
                limits=lambda: self._running[record.tenant].record.limits,
                records=records,
                vectors=vectors,
                embedder=self._embedder,
                registry=self._metrics,
                families=self._families,
            )
            app = create_app(deps)
            async with running(app):
                yield app
