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

from loci_dataplane.model.memory import Memory
from loci_dataplane.stores.chroma.embedded import embedded_vectors
from loci_dataplane.stores.chroma.server import COLLECTION_CONFIGURATION, ChromaServer, server_vectors
from loci_dataplane.stores.embedded import embedded_stores
from loci_dataplane.stores.ports import Stores, Vectors
from loci_dev.rigs import chroma_server as rig

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
