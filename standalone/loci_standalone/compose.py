"""Composition of `loci serve`: creates and connects all parts, and closes them at the end."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

from loci_admin.app import create_app
from loci_admin.deps import Deps
from loci_embedder.serving import embedding_models
from loci_policy.buckets.memory import LocalBuckets
from loci_policy.cors import Cors
from loci_policy.gate import Gate
from loci_policy.metrics import Metrics
from loci_policy.registry.follower import Registry
from loci_policy.registry.updates import Snapshot
from loci_policy.server import PolicyApp
from loci_policy.table import Table
from loci_policy.tenants import TenantCollector
from loci_resources.shipped import default_tiers
from loci_standalone.app import FrontApp
from loci_standalone.declared import DeclaredTenants
from loci_standalone.embedder import InProcessEmbedder
from loci_standalone.host import Host
from loci_standalone.start import DataFolder
from loci_standalone.store import FolderStore


@dataclass(frozen=True)
class Standalone:
    """The running composition."""

    app: FrontApp
    store: FolderStore
    declared: DeclaredTenants | None


@dataclass(frozen=True)
class Options:
    """Choices of a run: the admin key's hash, the origins of web applications, the embedding model."""

    admin_key_sha256: str
    cors: Cors
    model: str


@contextlib.asynccontextmanager
async def standalone(
    folder: DataFolder,
    declared: Path | None,
    options: Options,
    tell: Callable[[str], None],
) -> AsyncIterator[Standalone]:
    """Run everything, with all stored and declared tenants started; `tell` receives messages for the user."""
    async with embedding_models(options.model) as models:
        metrics = Metrics()
        registry = Registry(Table(), metrics)
        metrics.collector_registry.register(TenantCollector(registry.table))
        registry.apply(Snapshot(()))
        embedder = InProcessEmbedder(models)
        host = Host(folder.tenants, embedder, registry, default_tiers(), metrics.collector_registry)
        store = FolderStore(folder.tenants, host)
        try:
            for problem in await store.load():
                tell(f"skipped {problem}")
            files = DeclaredTenants(declared, folder.keys, store, tell) if declared else None
            if files:
                await files.apply()
            gate = Gate(registry.table, LocalBuckets(), metrics, options.cors)
            platform = PolicyApp(gate, registry, options.admin_key_sha256)
            admin = create_app(Deps(store, options.admin_key_sha256))
            yield Standalone(FrontApp(admin, platform, gate, host, options.admin_key_sha256), store, files)
        finally:
            await host.close()
