"""What the application is given: its stores, its identity, its clock."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated

from fastapi import Depends, Request
from prometheus_client import CollectorRegistry

from loci_contract.registry import Limits
from loci_dataplane.memories.service import Memories
from loci_dataplane.metrics import Families, TenantMetrics
from loci_dataplane.outbox.indexer import Indexer
from loci_dataplane.search.service import Search
from loci_dataplane.stores.ports import Embedder, Stores


def utc_now() -> datetime:
    """The present moment."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Deps:
    """One tenant's application: everything it needs, nothing that it makes itself."""

    tenant: str
    ingress_token: Callable[[], bytes] = field(repr=False)
    limits: Callable[[], Limits]
    stores: Stores
    embedder: Embedder
    registry: CollectorRegistry
    families: Families
    now: Callable[[], datetime] = utc_now


@dataclass(frozen=True)
class Services:
    """What the endpoints call, made of the dependencies."""

    deps: Deps
    indexer: Indexer
    memories: Memories
    search: Search
    metrics: TenantMetrics

    async def refresh(self) -> None:
        """Bring up to date those metrics that are not counted as things happen."""
        self.metrics.entities.set(await self.deps.stores.records.count())
        self.metrics.outbox.set(await self.deps.stores.outbox.backlog())


def services(deps: Deps) -> Services:
    """Wire the services."""
    indexer = Indexer(deps.stores, deps.embedder, deps.now, deps.tenant)
    memories = Memories(deps.stores, indexer, deps.limits, deps.now)
    search = Search(deps.stores, deps.embedder, lambda: indexer.generation, deps.now)
    metrics = TenantMetrics(deps.families, deps.tenant)
    metrics.watch(search.hit_ratio)
    return Services(deps, indexer, memories, search, metrics)


def _of_request(request: Request) -> Services:
    found: Services = request.app.state.services
    return found


Given = Annotated[Services, Depends(_of_request)]
