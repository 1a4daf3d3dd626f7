"""Vectors in Chroma inside this process, on the tenant's volume. Chroma's calls block, so they get a thread."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final, TypeVar

import chromadb
from chromadb.config import Settings
from chromadb.errors import InternalError

from loci_dataplane.stores.ports import Hit, Vector

Result = TypeVar("Result")

_COLLECTION: Final = "memories"


class ChromaVectors:
    """The Vectors port on one collection of an embedded Chroma."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="chroma")
        self._client: Any = None
        self._collection: Any = None

    async def open(self) -> None:
        """Open the index, making it when there is none."""
        await self._run(self._open)

    async def close(self) -> None:
        """Finish what is under way and close, as far as it was opened."""
        if self._client is not None:
            await self._run(self._client.close)
        self._thread.shutdown()

    async def upsert(self, ids: Sequence[str], vectors: Vector) -> None:
        """Set vectors."""
        await self._run(lambda: self._collection.upsert(ids=list(ids), embeddings=vectors))

    async def delete(self, ids: Sequence[str]) -> None:
        """Delete vectors."""
        if ids:
            await self._run(lambda: self._collection.delete(ids=list(ids)))

    async def search(self, vector: Vector, limit: int, among: Sequence[str] | None) -> Sequence[Hit]:
        """The nearest, best first."""
        return await self._run(lambda: self._nearest(vector, limit, among))

    async def count(self) -> int:
        """How many vectors there are."""
        return int(await self._run(self._collection.count))

    def _open(self) -> None:
        settings = Settings(anonymized_telemetry=False)
        self._client = chromadb.PersistentClient(path=str(self._folder), settings=settings)
        self._collection = self._client.get_or_create_collection(
            _COLLECTION, embedding_function=None, configuration={"hnsw": {"space": "cosine"}}
        )

    def _nearest(self, vector: Vector, limit: int, among: Sequence[str] | None) -> Sequence[Hit]:
        if among is None:
            return self._query(vector, limit)
        if not among:
            return []
        try:
            return self._query(vector, limit, ids=list(among))
        except InternalError:  # Chroma's word for ids that it does not hold: what is not indexed yet
            held = self._collection.get(ids=list(among), include=[])["ids"]
            return self._query(vector, limit, ids=held) if held else []

    def _query(self, vector: Vector, limit: int, **among: Sequence[str]) -> Sequence[Hit]:
        found = self._collection.query(
            query_embeddings=vector[None, :], n_results=limit, include=["distances"], **among
        )
        pairs = zip(found["ids"][0], found["distances"][0], strict=True)
        return [Hit(memory_id, 1.0 - distance) for memory_id, distance in pairs]

    async def _run(self, work: Callable[[], Result]) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)
