"""Opening a tenant's stores, each where it is kept: in the pod's folder, or on a server."""

from __future__ import annotations

import contextlib
import pkgutil
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from pathlib import Path

from loci_dataplane.stores.chroma.embedded import embedded_vectors
from loci_dataplane.stores.chroma.server import ChromaServer, server_vectors
from loci_dataplane.stores.embedded import sqlite_stores
from loci_dataplane.stores.generations import Generations
from loci_dataplane.stores.ports import Graph, Stores
from loci_dataplane.stores.postgres.stores import postgres_stores
from loci_dataplane.stores.redis.opening import RedisServer, redis_cache

OpenNeo4j = Callable[[str, tuple[str, str]], AbstractAsyncContextManager[Graph]]


@dataclass(frozen=True)
class Neo4jServer:
    """How to reach a Neo4j server: its `bolt://` or `neo4j://` address, user and password."""

    url: str
    user: str
    password: str = field(repr=False)


@dataclass(frozen=True)
class Places:
    """Where a tenant's stores are kept; those without a server are in the folder, and the graph beside the records.

    Args:
        tenant: the tenant's name.
        folder: folder of the embedded stores.
        postgres: returns the address of the records, asked for each connection.
        chroma: the vectors' server.
        neo4j: the graph's server.
        redis: the server of the cache of search results; without one, each pod has a cache of its own.
    """

    tenant: str
    folder: Path
    postgres: Callable[[], str] | None = None
    chroma: ChromaServer | None = None
    neo4j: Neo4jServer | None = None
    redis: RedisServer | None = None


@contextlib.asynccontextmanager
async def open_stores(places: Places) -> AsyncIterator[Stores]:
    """Open the stores for the length of the block."""
    async with contextlib.AsyncExitStack() as stack:
        vectors = await stack.enter_async_context(_vectors(places))
        graph = await stack.enter_async_context(_neo4j(places.neo4j)) if places.neo4j else None
        stores = await stack.enter_async_context(_stores(places, vectors, graph))
        if places.redis:
            stores = replace(stores, cache=await stack.enter_async_context(redis_cache(places.redis, places.tenant)))
        yield stores


def _vectors(places: Places) -> AbstractAsyncContextManager[Generations]:
    return server_vectors(places.chroma) if places.chroma else embedded_vectors(places.folder / "chroma")


def _neo4j(server: Neo4jServer) -> AbstractAsyncContextManager[Graph]:
    # Loaded only where it is used: the driver takes about 30 MB.
    neo4j_graph: OpenNeo4j = pkgutil.resolve_name("loci_dataplane.stores.neo4j.graph:neo4j_graph")
    return neo4j_graph(server.url, (server.user, server.password))


def _stores(places: Places, vectors: Generations, graph: Graph | None) -> AbstractAsyncContextManager[Stores]:
    if places.postgres is None:
        return sqlite_stores(places.folder, vectors, graph)
    return postgres_stores(places.tenant, places.postgres, vectors, graph)
