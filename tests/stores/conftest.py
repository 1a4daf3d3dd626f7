"""The adapters that the contract tests run on. To add one, add its opening to a registry here."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Protocol
from uuid import uuid4

import chromadb
import pytest
from chromadb.config import Settings
from neo4j import GraphDatabase

from loci_contract import postgres as names
from loci_dataplane.model.memory import Memory
from loci_dataplane.stores.cache import ProcessCache, SearchCache
from loci_dataplane.stores.chroma.embedded import embedded_vectors
from loci_dataplane.stores.chroma.server import COLLECTION_CONFIGURATION, ChromaServer, server_vectors
from loci_dataplane.stores.embedded import embedded_stores
from loci_dataplane.stores.neo4j.graph import neo4j_graph
from loci_dataplane.stores.ports import Graph, Stores, Vectors
from loci_dataplane.stores.postgres.stores import postgres_stores
from loci_dataplane.stores.redis.opening import RedisServer, redis_cache
from loci_dev.rigs import chroma_server as rig
from loci_dev.rigs.neo4j import Neo4j, neo4j
from loci_dev.rigs.pgbouncer import PgBouncer, pgbouncer
from loci_dev.rigs.postgres import Postgres, postgres
from loci_dev.rigs.redis import Redis, redis
from loci_dev.rigs.redis_cluster import RedisCluster, redis_cluster
from loci_dev.tools.catalog import MissingToolError
from loci_operator.provision.postgres.provisioner import PostgresProvisioner, Server

PASSWORD: Final = "made-up-password-of-tests"


@contextlib.asynccontextmanager
async def postgres_records(folder: Path, request: pytest.FixtureRequest) -> AsyncIterator[Stores]:
    """A tenant of its own, directly."""
    server: Postgres = request.getfixturevalue("postgres_server")
    async with new_tenant(server) as tenant, records_at(server.dsn, tenant, folder) as opened:
        yield opened


@contextlib.asynccontextmanager
async def pooled_records(folder: Path, request: pytest.FixtureRequest) -> AsyncIterator[Stores]:
    """A tenant of its own, through a pooler that gives each transaction another session."""
    server: Postgres = request.getfixturevalue("postgres_server")
    pooler: PgBouncer = request.getfixturevalue("pooler")
    async with new_tenant(server) as tenant, records_at(pooler.dsn, tenant, folder) as opened:
        yield opened


@contextlib.asynccontextmanager
async def records_at(address: Callable[[str, str], str], tenant: str, folder: Path) -> AsyncIterator[Stores]:
    dsn = address(names.login_role(tenant), PASSWORD)
    async with (
        embedded_vectors(folder / "chroma") as vectors,
        postgres_stores(tenant, lambda: dsn, vectors) as opened,
    ):
        yield opened


@contextlib.asynccontextmanager
async def new_tenant(server: Postgres) -> AsyncIterator[str]:
    tenant, provisioner = f"t{uuid4().hex}", PostgresProvisioner(Server(server.dsn()))
    await provisioner.create(tenant, PASSWORD)
    yield tenant
    await provisioner.purge(tenant)


Opening = Callable[[Path, pytest.FixtureRequest], AbstractAsyncContextManager[Stores]]
RECORDS: Final[dict[str, Opening]] = {
    "sqlite": lambda folder, _: embedded_stores(folder),
    "postgres": postgres_records,
    "postgres-pooled": pooled_records,
}
"""Open empty stores, of which the records, the full text and the outbox are under test."""


@contextlib.asynccontextmanager
async def chroma_server_vectors(_: Path, request: pytest.FixtureRequest) -> AsyncIterator[Vectors]:
    server: rig.ChromaServer = request.getfixturevalue("chroma")
    client = chromadb.HttpClient(port=server.port, settings=Settings(anonymized_telemetry=False))
    made = client.create_collection(f"c-{uuid4()}", embedding_function=None, configuration=COLLECTION_CONFIGURATION)
    async with server_vectors(ChromaServer(server.url, made.id)) as vectors:
        yield vectors


VectorsOpening = Callable[[Path, pytest.FixtureRequest], AbstractAsyncContextManager[Vectors]]
VECTORS: Final[dict[str, VectorsOpening]] = {
    "chroma-embedded": lambda folder, _: embedded_vectors(folder),
    "chroma-server": chroma_server_vectors,
}
"""Open an empty vector index."""


@contextlib.asynccontextmanager
async def neo4j_server_graph(_: Path, request: pytest.FixtureRequest) -> AsyncIterator[Graph]:
    server: Neo4j = request.getfixturevalue("neo4j_server")
    with GraphDatabase.driver(server.url, auth=server.auth) as driver:
        driver.execute_query("MATCH (n) DETACH DELETE n")
    async with neo4j_graph(server.url, server.auth) as graph:
        yield graph


def graph_of(records: Opening) -> Callable[[Path, pytest.FixtureRequest], AbstractAsyncContextManager[Graph]]:
    """The graph beside some records."""

    @contextlib.asynccontextmanager
    async def opened(folder: Path, request: pytest.FixtureRequest) -> AsyncIterator[Graph]:
        async with records(folder, request) as stores:
            yield stores.graph

    return opened


GRAPHS: Final[dict[str, Callable[[Path, pytest.FixtureRequest], AbstractAsyncContextManager[Graph]]]] = {
    "sqlite": graph_of(RECORDS["sqlite"]),
    "postgres": graph_of(postgres_records),
    "postgres-pooled": graph_of(pooled_records),
    "neo4j": neo4j_server_graph,
}
"""Open an empty graph."""

NOW: Final = datetime(2026, 1, 1, tzinfo=UTC)


class Remember(Protocol):
    async def __call__(self, memory_id: str, content: str = "an otter", **fields: Any) -> Memory: ...


@pytest.fixture(params=RECORDS)
async def stores(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Stores]:
    async with RECORDS[request.param](tmp_path, request) as opened:
        yield opened


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Postgres]:
    try:
        with postgres() as server, ThreadPoolExecutor(1) as thread:
            # Asked for while the tests' own loop runs.
            thread.submit(asyncio.run, PostgresProvisioner(Server(server.dsn())).prepare()).result()
            yield server
    except MissingToolError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def pooler(postgres_server: Postgres) -> Iterator[PgBouncer]:
    try:
        with pgbouncer(postgres_server.cluster) as running:
            yield running
    except MissingToolError as error:
        pytest.skip(str(error))


@pytest.fixture(params=VECTORS)
async def vectors(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Vectors]:
    async with VECTORS[request.param](tmp_path, request) as opened:
        yield opened


@pytest.fixture(scope="session")
def chroma(tmp_path_factory: pytest.TempPathFactory) -> Iterator[rig.ChromaServer]:
    with rig.chroma_server(tmp_path_factory.mktemp("chroma")) as server:
        yield server


@pytest.fixture(scope="session")
def neo4j_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Neo4j]:
    with neo4j(tmp_path_factory.mktemp("neo4j")) as server:
        yield server


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Redis]:
    try:
        with redis(tmp_path_factory.mktemp("redis")) as server:
            yield server
    except MissingToolError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def redis_nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisCluster]:
    try:
        with redis_cluster(tmp_path_factory.mktemp("cluster")) as cluster:
            yield cluster
    except MissingToolError as error:
        pytest.skip(str(error))


@pytest.fixture(params=GRAPHS)
async def graph(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Graph]:
    async with GRAPHS[request.param](tmp_path, request) as opened:
        yield opened


@contextlib.asynccontextmanager
async def redis_server_cache(_: Path, request: pytest.FixtureRequest) -> AsyncIterator[SearchCache]:
    server: Redis = request.getfixturevalue("redis_server")
    async with redis_cache(RedisServer(lambda: server.url), f"t{uuid4().hex}") as opened:
        yield opened


@contextlib.asynccontextmanager
async def redis_cluster_cache(_: Path, request: pytest.FixtureRequest) -> AsyncIterator[SearchCache]:
    cluster: RedisCluster = request.getfixturevalue("redis_nodes")
    async with redis_cache(RedisServer(lambda: cluster.url, is_cluster=True), f"t{uuid4().hex}") as opened:
        yield opened


CACHES: Final[dict[str, Callable[[Path, pytest.FixtureRequest], AbstractAsyncContextManager[SearchCache]]]] = {
    "process": lambda *_: contextlib.nullcontext(ProcessCache()),
    "redis": redis_server_cache,
    "redis-cluster": redis_cluster_cache,
}
"""Open an empty cache."""


@pytest.fixture(params=CACHES)
async def cache(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[SearchCache]:
    async with CACHES[request.param](tmp_path, request) as opened:
        yield opened


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture
def remember(stores: Stores) -> Remember:
    """Store a memory in a transaction of its own; return it as it is read back."""

    async def add(memory_id: str, content: str = "an otter", **fields: Any) -> Memory:
        memory = replace(Memory(memory_id, content, None, None, None, {}, NOW, NOW), **fields)
        async with stores.transaction() as transaction:
            await transaction.add(memory, 1_000)
        return (await stores.records.get([memory_id], datetime.min.replace(tzinfo=UTC)))[memory_id]

    return add
