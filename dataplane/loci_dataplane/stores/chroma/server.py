"""A collection on a Chroma server, by its id.

The server has no authentication: a client that reaches it can use every collection whose id it knows. It therefore
listens on its pod's loopback address alone, and the gate before it admits a tenant's token to the tenant's own
collection. The pod knows its collection by the id that the provisioner recorded, and never asks the server for names.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit
from uuid import UUID

import httpx
from chromadb.api.collection_configuration import CreateCollectionConfiguration
from chromadb.api.fastapi import FastAPI as ChromaApi
from chromadb.api.models.Collection import Collection
from chromadb.config import DEFAULT_DATABASE, DEFAULT_TENANT, Settings, System
from chromadb.types import Collection as CollectionModel

from loci_dataplane.stores.chroma.vectors import ChromaVectors
from loci_dataplane.stores.errors import StoreUnavailableError
from loci_dataplane.stores.generations import FIRST, UNRECORDED, Entry, Generations, Record

COLLECTION_CONFIGURATION: Final[CreateCollectionConfiguration] = {"hnsw": {"space": "cosine"}}
_CONNECTIONS: Final = 4
"""Calls at once from one pod; Chroma's client blocks, so each takes a thread."""


@dataclass(frozen=True)
class ChromaServer:
    """How to reach a collection.

    Args:
        url: base URL of the server or its gate.
        collection: the collection's id.
        token: bearer token for the gate.
        timeout: time limit of a call, seconds; Chroma's client has none of its own.
    """

    url: str
    collection: UUID
    token: str | None = field(default=None, repr=False)
    timeout: float = 5.0


@contextlib.asynccontextmanager
async def server_vectors(server: ChromaServer) -> AsyncIterator[Generations]:
    """Connect for the length of the block. Nothing is sent before the first call, so a server may come later."""
    system = System(_settings(server))
    api = system.instance(ChromaApi)
    api._session.timeout = httpx.Timeout(server.timeout)  # noqa: SLF001 - there is no setting for it
    with ThreadPoolExecutor(_CONNECTIONS, thread_name_prefix="chroma") as threads:
        try:
            collection = _collection(api, server.collection)
            place = _Server(ChromaVectors(lambda: collection, threads, _port_error))
            yield Generations(place, Record(), place.vectors)
        finally:
            api._session.close()  # noqa: SLF001 - the client closes what it opened only when it is shared


class _Server:
    """The one collection that the tenant has on a server, where another model's vectors have no place.

    Its entries say which model made them, so the record needs no place of its own.
    """

    def __init__(self, vectors: ChromaVectors) -> None:
        self.vectors = vectors

    @property
    def has_room(self) -> bool:
        return False

    async def read(self) -> Record:
        model = await self.vectors.made_by(UNRECORDED)
        if model:
            self.vectors.model = model
        return Record(Entry(model, FIRST)) if model else Record()

    async def write(self, record: Record) -> None:
        assert record.serving is not None
        self.vectors.model = record.serving.model

    async def open(self, _: str) -> ChromaVectors:
        return self.vectors

    async def remove(self, _: str) -> None:
        raise StoreUnavailableError("vectors", "the tenant has one collection")


def _settings(server: ChromaServer) -> Settings:
    address = urlsplit(server.url)
    is_tls = address.scheme == "https"
    return Settings(
        anonymized_telemetry=False,
        chroma_api_impl="chromadb.api.fastapi.FastAPI",
        chroma_server_host=address.hostname,
        chroma_server_http_port=address.port or (443 if is_tls else 80),
        chroma_server_ssl_enabled=is_tls,
        chroma_server_headers={"Authorization": f"Bearer {server.token}"} if server.token else {},
    )


def _collection(api: ChromaApi, collection_id: UUID) -> Collection:
    model = CollectionModel(
        id=collection_id,
        name="memories",
        configuration_json=dict(COLLECTION_CONFIGURATION),
        serialized_schema=None,
        metadata=None,
        dimension=None,
        tenant=DEFAULT_TENANT,
        database=DEFAULT_DATABASE,
    )
    return Collection(client=api, model=model, embedding_function=None)


def _port_error(error: Exception) -> StoreUnavailableError:
    return StoreUnavailableError("vectors", type(error).__name__)
