"""A tenant's data plane inside the test's process, on real stores; `pod.py` has it as a process."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from pathlib import Path

import httpx
from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from loci_contract.headers import INGRESS_TOKEN
from loci_contract.registry import Limits
from loci_dataplane.app import Deps, create_app, provide_services, running, utc_now
from loci_dataplane.metrics import Families
from loci_dataplane.stores.embedded import embedded_stores
from loci_dataplane.stores.embedding import Embedder
from loci_dev.rigs.pod import TOKEN


@contextlib.asynccontextmanager
async def serving(  # noqa: PLR0913 - options by name
    folder: Path,
    embedder: Embedder,
    *,
    max_memories: int = 1_000,
    max_graph_nodes: int = 1_000,
    now: Callable[[], datetime] = utc_now,
    indexing: bool = True,
) -> AsyncIterator[httpx.AsyncClient]:
    """Serve the tenant named like the folder and yield its client, with ingress token; `indexing` drains the outbox."""
    limits = Limits(requests_per_minute=100, burst=20, max_memories=max_memories, max_graph_nodes=max_graph_nodes)
    registry = CollectorRegistry()
    deps = Deps(
        folder.name,
        TOKEN.encode,
        lambda: limits,
        lambda: embedded_stores(folder),
        embedder,
        registry,
        Families(registry),
        now,
    )
    app = create_app(deps)
    transport = httpx.ASGITransport(app)
    async with (
        _running(app) if indexing else _without_indexer(app, folder),
        httpx.AsyncClient(transport=transport, base_url="http://pod", headers={INGRESS_TOKEN: TOKEN}) as client,
    ):
        yield client


@contextlib.asynccontextmanager
async def _running(app: FastAPI) -> AsyncIterator[None]:
    async with running(app) as lifecycle:
        await lifecycle.attempted()
        yield


@contextlib.asynccontextmanager
async def _without_indexer(app: FastAPI, folder: Path) -> AsyncIterator[None]:
    async with embedded_stores(folder) as stores:
        provide_services(app, stores)
        yield


async def indexed(client: httpx.AsyncClient) -> None:
    """Wait until the outbox is empty, so that every write is indexed."""
    async with asyncio.timeout(30):
        while not re.search(r"memory_outbox_entries\{.*\} 0\.0", (await client.get("/metrics")).text):  # noqa: ASYNC110 - only HTTP tells
            await asyncio.sleep(0.02)
