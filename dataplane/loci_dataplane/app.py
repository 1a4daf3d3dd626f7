"""The application of one tenant, and the composition of its services.

Several applications may run in one process; they share nothing but code, the embedder and the metric families.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version

from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from loci_contract import routes
from loci_contract.registry import Limits
from loci_dataplane.api import errors, v1, v2
from loci_dataplane.conversations.context import Context
from loci_dataplane.conversations.service import Conversations
from loci_dataplane.erasures.service import Erasures
from loci_dataplane.exchange.service import Exchange
from loci_dataplane.graph.extraction.extract import extract
from loci_dataplane.graph.service import GraphService
from loci_dataplane.health import endpoints as health
from loci_dataplane.health.service import HealthService
from loci_dataplane.injection import Services
from loci_dataplane.lifecycle import Lifecycle
from loci_dataplane.memories.service import Memories
from loci_dataplane.metrics import Families, MetricsPage, TenantMetrics
from loci_dataplane.middleware import MAX_BODY_BYTES, ingress_only
from loci_dataplane.outbox.graph_index import GraphIndex
from loci_dataplane.outbox.indexer import Indexer
from loci_dataplane.search.retrievers import retrievers
from loci_dataplane.search.service import Search
from loci_dataplane.stores.embedding import Embedder
from loci_dataplane.stores.ports import Stores
from loci_dataplane.usage.service import UsageService
from loci_runtime import responses
from loci_runtime.edge import Edge, Rules
from loci_runtime.tracing import Traced


def utc_now() -> datetime:
    """Return the current time."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Deps:
    """Everything that one tenant's application needs from outside.

    Args:
        tenant: the tenant's name.
        ingress_token: the token that every request must carry; asked for with each request.
        limits: the tenant's limits; asked for with each write.
        open_stores: opens the tenant's stores for the length of a block; called again while that fails.
        embedder: the embedder.
        registry: the Prometheus registry that `/metrics` renders.
        families: the metric families in it.
        now: the clock, in UTC.
    """

    tenant: str
    ingress_token: Callable[[], bytes] = field(repr=False)
    limits: Callable[[], Limits]
    open_stores: Callable[[], AbstractAsyncContextManager[Stores]]
    embedder: Embedder
    registry: CollectorRegistry
    families: Families
    now: Callable[[], datetime] = utc_now


def create_app(deps: Deps) -> FastAPI:
    """Return the ASGI application; enter `running(app)` around serving it."""
    app = FastAPI(
        title="Loci",
        version=version("loci-memory"),
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
    )
    services, metrics = Services(), TenantMetrics(deps.families, deps.tenant)
    services.provide(
        HealthService(lambda: services.find(Stores), deps.embedder), metrics, MetricsPage(deps.registry, metrics)
    )
    app.state.deps, app.state.services = deps, services
    app.state.lifecycle = Lifecycle(deps.open_stores, lambda stores: _serving(app, stores), services, deps.tenant)
    responses.install(app)
    errors.install(app)
    v1.mount(app)
    v2.mount(app)
    app.include_router(health.router)
    app.add_middleware(Edge, rules=_rules(deps, metrics))
    app.add_middleware(Traced, name="memory_service", response="caller")
    return app


@contextlib.asynccontextmanager
async def running(app: FastAPI) -> AsyncIterator[Lifecycle]:
    """Open the application's stores and work in the background; its metrics are removed at the end."""
    lifecycle: Lifecycle = app.state.lifecycle
    async with lifecycle.running():
        try:
            yield lifecycle
        finally:
            app.state.services.find(TenantMetrics).remove()


def provide_services(app: FastAPI, stores: Stores) -> tuple[Indexer, tuple[object, ...]]:
    """Make the services on open stores; return the indexer, which is to be run, and the services."""
    deps: Deps = app.state.deps
    services: Services = app.state.services
    metrics = services.find(TenantMetrics)
    graph_index = GraphIndex(stores.graph, extract, lambda: deps.limits().max_graph_nodes)
    indexer = Indexer(stores, deps.embedder, graph_index, deps.now, deps.tenant)
    search = Search(stores, retrievers(stores, deps.embedder), deps.now)
    memories = Memories(stores, indexer, deps.limits, deps.now)
    made = (
        stores,
        memories,
        search,
        GraphService(stores.graph, deps.now),
        Conversations(memories, extract),
        Context(stores, search, deps.now),
        Erasures(stores, indexer, search.forget, deps.now, deps.tenant),
        Exchange(stores, indexer, deps.limits, deps.now),
        UsageService(stores, deps.limits),
    )
    metrics.watch(stores, indexer, search.hit_ratio)
    services.provide(*made)
    return indexer, made


@contextlib.asynccontextmanager
async def _serving(app: FastAPI, stores: Stores) -> AsyncIterator[None]:
    indexer, made = provide_services(app, stores)
    try:
        async with indexer.running(), app.state.services.find(Erasures).running():
            yield
    finally:
        app.state.services.withdraw(*made)


async def refresh_metrics(app: FastAPI) -> None:
    """Bring those metrics up to date that are not counted as things happen."""
    services: Services = app.state.services
    await services.find(TenantMetrics).refresh()


def _rules(deps: Deps, metrics: TenantMetrics) -> Rules:
    return Rules(
        guard=ingress_only(deps.ingress_token),
        max_body_bytes=MAX_BODY_BYTES,
        routes=routes.TENANT,
        context={"tenant_id": deps.tenant},
        describe=lambda scope: {"entities_returned": scope.get("entities_returned")},
        observe=metrics.observe,
    )
