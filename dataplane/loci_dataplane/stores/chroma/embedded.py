"""Chroma inside this process, with its files on the tenant's volume.

A client keeps the files and the memory of deleted collections (four files and some 3 MB each) until it is closed, so it
is closed whenever a collection was removed, and opened again by the next call: about 40 ms.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any, Final, TypeVar

import chromadb
from chromadb.config import Settings
from chromadb.errors import NotFoundError

from loci_dataplane.stores.chroma.rebuild import clean, holds, rebuild
from loci_dataplane.stores.chroma.vectors import ChromaVectors
from loci_dataplane.stores.errors import StorageFullError, StoreError, StoreUnavailableError
from loci_dataplane.stores.full_disk import is_full
from loci_dataplane.stores.generations import FIRST, UNRECORDED, Entry, Generations, Record, generations

_COMPONENT: Final = "vectors"
_RECORD: Final = "generations.json"
Result = TypeVar("Result")


@contextlib.asynccontextmanager
async def embedded_vectors(folder: Path) -> AsyncIterator[Generations]:
    """Open the index in a folder for the length of the block; create it if it does not exist."""
    loop = asyncio.get_running_loop()
    with ThreadPoolExecutor(1, thread_name_prefix="chroma") as thread:
        files = _Folder(folder, thread)
        try:
            yield await generations(files)
        finally:
            await loop.run_in_executor(thread, files.close)


class _Folder:
    """Collections of one folder, and the record of them in a file."""

    def __init__(self, folder: Path, thread: ThreadPoolExecutor) -> None:
        self._folder = folder
        self._thread = thread
        self._client: Any = None
        self._collections: dict[str, Any] = {}

    def close(self) -> None:
        """Give back what the client holds; the next call opens another. Only in the folder's thread."""
        if self._client is not None:
            self._client.close()
        self._client = None
        self._collections.clear()

    @property
    def has_room(self) -> bool:
        return True

    async def read(self) -> Record:
        return await self._run(self._read)

    async def write(self, record: Record) -> None:
        await self._run(lambda: self._write(record))

    async def open(self, collection: str) -> ChromaVectors:
        await self._run(lambda: self._collection(collection))
        return ChromaVectors(
            lambda: self._collection(collection),
            self._thread,
            lambda error: _port_error(error, self._folder),
            lambda ids: self._rebuild(collection, ids),
        )

    async def remove(self, collection: str) -> None:
        await self._run(lambda: self._remove(collection))

    async def _run(self, work: Callable[[], Result]) -> Result:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        except Exception as error:
            raise _port_error(error, self._folder) from error

    def _read(self) -> Record:
        path = self._folder / _RECORD
        if path.exists():
            return _record(json.loads(path.read_text()))
        held = {collection.name: collection for collection in self._opened().list_collections()}
        return Record(Entry(UNRECORDED, FIRST)) if FIRST in held and held[FIRST].count() else Record()

    def _write(self, record: Record) -> None:
        beside = self._folder / f"{_RECORD}.new"
        beside.write_text(json.dumps(asdict(record), default=datetime.isoformat))
        beside.replace(self._folder / _RECORD)

    def _opened(self) -> Any:
        if self._client is None:
            self._client = _client(self._folder)
        return self._client

    def _collection(self, name: str) -> Any:
        if name not in self._collections:
            self._collections[name] = self._opened().get_or_create_collection(
                name, embedding_function=None, configuration={"hnsw": {"space": "cosine"}}
            )
        return self._collections[name]

    def _remove(self, name: str) -> None:
        try:
            with contextlib.suppress(NotFoundError):
                self._opened().delete_collection(name)
            clean(self._folder)
        finally:
            self.close()

    def _rebuild(self, name: str, ids: Sequence[str]) -> int:
        try:
            rebuild(self._opened(), self._collection(name), self._folder)
        finally:
            self.close()
        return holds(self._folder, [memory_id.encode() for memory_id in ids])


def _record(document: Any) -> Record:
    entries = {name: Entry(**document[name]) for name in ("serving", "building", "previous") if document[name]}
    moment = document["switched_at"]
    return Record(**entries, switched_at=datetime.fromisoformat(moment) if moment else None)


def _client(folder: Path) -> Any:
    return chromadb.PersistentClient(path=str(folder), settings=Settings(anonymized_telemetry=False))


def _port_error(error: Exception, folder: Path) -> StoreError:
    """Return the ports' error for whatever Chroma raised; its own errors do not tell a full volume from others."""
    if isinstance(error, StoreError):
        return error
    if is_full(folder):
        return StorageFullError(_COMPONENT, "the volume is full")
    return StoreUnavailableError(_COMPONENT, type(error).__name__)
