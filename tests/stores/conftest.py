"""The adapters that the contract tests run on. To add one, add its opening to a registry here."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable, Iterator
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

from loci_dataplane.model.memory import Memory
from loci_dataplane.stores.chroma.embedded import embedded_vectors
from loci_dataplane.stores.chroma.server import COLLECTION_CONFIGURATION, ChromaServer, server_vectors
from loci_dataplane.stores.embedded import embedded_stores
from loci_dataplane.stores.neo4j.graph import neo4j_graph
from loci_dataplane.stores.ports import Graph, Stores, Vectors
from loci_dev.rigs import chroma_server as rig
from loci_dev.rigs.neo4j import Neo4j, neo4j

Opening = Callable[[Path], AbstractAsyncContextManager[Any]]

RECORDS: Final[dict[str, Opening]] = {"sqlite": embedded_stores}
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
async def sqlite_graph(folder: Path, _: pytest.FixtureRequest) -> AsyncIterator[Graph]:
    async with embedded_stores(folder) as opened:
        yield opened.graph


@contextlib.asynccontextmanager
async def neo4j_server_graph(_: Path, request: pytest.FixtureRequest) -> AsyncIterator[Graph]:
    server: Neo4j = request.getfixturevalue("neo4j_server")
    with GraphDatabase.driver(server.url, auth=server.auth) as driver:
        driver.execute_query("MATCH (n) DETACH DELETE n")
    async with neo4j_graph(server.url, server.auth) as graph:
        yield graph


GRAPHS: Final[dict[str, Callable[[Path, pytest.FixtureRequest], AbstractAsyncContextManager[Graph]]]] = {
    "sqlite": sqlite_graph,
    "neo4j": neo4j_server_graph,
}
"""Open an empty graph."""

NOW: Final = datetime(2026, 1, 1, tzinfo=UTC)


class Remember(Protocol):
    async def __call__(self, memory_id: str, content: str = "an otter", **fields: Any) -> Memory: ...


@contextlib.asynccontextmanager
async def _opened(opening: Opening, folder: Path) -> AsyncIterator[Any]:
    async with opening(folder) as opened:
        yield opened


@pytest.fixture(params=RECORDS)
async def stores(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Stores]:
    async with _opened(RECORDS[request.param], tmp_path) as opened:
        yield opened


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


@pytest.fixture(params=GRAPHS)
async def graph(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Graph]:
    async with GRAPHS[request.param](tmp_path, request) as opened:
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
