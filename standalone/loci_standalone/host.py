"""Run tenants' data planes in this process, and keep the policy's tenant registry in step.

Each tenant has its own task, which opens its stores, waits, and closes them again, because context managers must be
exited in the task that entered them. Active requests are counted, so that stopping a tenant waits for them (bounded).
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import shutil
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import structlog
from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from loci_contract.keys import generate_token
from loci_contract.registry import KeyRecord, RegistryRecord
from loci_dataplane.app import Deps, create_app, refresh_metrics, running
from loci_dataplane.lifecycle import Lifecycle
from loci_dataplane.metrics import Families
from loci_dataplane.stores.embedded import embedded_stores
from loci_dataplane.stores.embedding import Embedder
from loci_policy.asgi import App, Receive, Scope, Send
from loci_policy.registry.follower import Registry
from loci_policy.registry.updates import Changed, Removed
from loci_resources.derived import registry_record
from loci_resources.errors import RejectedError
from loci_resources.tenant import MemoryTenant
from loci_resources.tier import MemoryTier, StorageProfile
from loci_standalone.errors import TenantRefusedError

_DRAIN_SECONDS: Final = 10


class _Running:
    """A running tenant with a count of its active requests."""

    def __init__(self, record: RegistryRecord) -> None:
        self.record = record
        self.app: asyncio.Future[FastAPI] = asyncio.get_running_loop().create_future()
        self.stop = asyncio.Event()
        self.task: asyncio.Task[None]
        self.lifecycle: Lifecycle
        self._under_way = 0
        self._quiet = asyncio.Event()
        self._quiet.set()

    async def serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Forward an ASGI request to the application."""
        with self._busy() as app:
            await app(scope, receive, send)

    async def refresh(self) -> None:
        """Refresh the gauges."""
        with self._busy() as app:
            await refresh_metrics(app)

    async def end(self) -> None:
        """Close the stores once no request is active, or after a timeout."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._quiet.wait(), _DRAIN_SECONDS)
        self.stop.set()
        await self.task

    @contextlib.contextmanager
    def _busy(self) -> Iterator[FastAPI]:
        self._under_way += 1
        self._quiet.clear()
        try:
            yield self.app.result()
        finally:
            self._under_way -= 1
            if not self._under_way:
                self._quiet.set()


class Host:
    """Starts, updates and stops tenants."""

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
        """Registry record of a tenant; raises TenantRefusedError if its spec is rejected."""
        tiers = {tier.metadata.name: tier for tier in self.tiers}
        tier = tiers.get(tenant.spec.tier)
        if tier is None:
            raise TenantRefusedError(f"spec.tier: must be one of {', '.join(tiers)}")
        if (tenant.spec.storage.profile or tier.spec.storage_profile) is not StorageProfile.EMBEDDED:
            raise TenantRefusedError("spec.storage.profile: must be embedded; `loci serve` supports no other profile")
        held = self._running.get(tenant.metadata.name)
        token = held.record.ingress_token if held else generate_token()
        keys = [
            KeyRecord(name=key.name, sha256=key.sha256, scopes=frozenset(key.scopes), expires_at=key.expires_at)
            for key in tenant.spec.keys_in_force
            if key.sha256
        ]
        try:
            return registry_record(tenant, tier, keys, upstream="in-process", ingress_token=token)
        except RejectedError as error:
            raise TenantRefusedError(error.message) from None

    async def put(self, tenant: MemoryTenant) -> None:
        """Start a tenant, or apply a changed spec to a running one."""
        record = self.record(tenant)
        if held := self._running.get(record.tenant):
            held.record = record
        else:
            self._running[record.tenant] = await self._start(record)
        self._registry.apply(Changed(record))

    async def remove(self, name: str, *, purge: bool) -> None:
        """Stop a tenant and, if requested, delete its data."""
        self._registry.apply(Removed(name))
        if held := self._running.pop(name, None):
            await held.end()
        if purge:
            await asyncio.to_thread(shutil.rmtree, self.data_of(name), ignore_errors=True)

    async def close(self) -> None:
        """Stop all tenants, keeping their data."""
        for name in list(self._running):
            try:
                await self.remove(name, purge=False)
            except Exception as error:  # noqa: BLE001 - the edge of one tenant's stores: the others are closed, too
                structlog.get_logger().error("closing a tenant failed", tenant_id=name, error=type(error).__name__)

    def app_of(self, name: str) -> App:
        """Application of a running tenant."""
        return self._running[name].serve

    def problem_of(self, name: str) -> str | None:
        """Return why a tenant is not serving, or None if it is."""
        return self._running[name].lifecycle.problem

    def data_of(self, name: str) -> Path:
        """Path of a tenant's data."""
        return self._folder / name

    async def refresh(self) -> None:
        """Refresh the gauges that are read from the stores."""
        for name, held in list(self._running.items()):
            if name not in self._running:  # stopped meanwhile
                continue
            try:
                await held.refresh()
            except Exception as error:  # noqa: BLE001 - the edge of one tenant's stores: they must not stop another's
                structlog.get_logger().error("refreshing metrics failed", tenant_id=name, error=type(error).__name__)

    async def _start(self, record: RegistryRecord) -> _Running:
        starting = _Running(record)
        # In a new context: the task outlives the request that starts it, and must not inherit its log fields.
        starting.task = task = asyncio.create_task(self._run(starting), context=contextvars.Context())
        # Resolved with the application, or with the exception that prevented its start.
        either: set[asyncio.Future[Any]] = {starting.app, task}
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            starting.app.cancel()
            task.result()
        return starting

    async def _run(self, held: _Running) -> None:
        """Run a tenant in its own task, so that the task that opens its stores also closes them."""
        async with self._application(held) as app:
            held.app.set_result(app)
            await held.stop.wait()

    @contextlib.asynccontextmanager
    async def _application(self, held: _Running) -> AsyncIterator[FastAPI]:
        record = held.record
        deps = Deps(
            tenant=record.tenant,
            ingress_token=record.ingress_token.encode,
            limits=lambda: held.record.limits,
            open_stores=lambda: embedded_stores(self.data_of(record.tenant)),
            embedder=self._embedder,
            registry=self._metrics,
            families=self._families,
        )
        app = create_app(deps)
        async with running(app) as lifecycle:
            await lifecycle.attempted()
            held.lifecycle = lifecycle
            yield app
