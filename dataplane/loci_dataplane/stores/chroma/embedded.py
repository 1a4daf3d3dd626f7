"""Chroma inside this process, with its files on the tenant's volume."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import chromadb
from chromadb.config import Settings

from loci_dataplane.stores.chroma.rebuild import holds, rebuild
from loci_dataplane.stores.chroma.vectors import ChromaVectors
from loci_dataplane.stores.errors import StorageFullError, StoreError, StoreUnavailableError
from loci_dataplane.stores.full_disk import is_full

_COLLECTION: Final = "memories"
_COMPONENT: Final = "vectors"


@contextlib.asynccontextmanager
async def embedded_vectors(folder: Path) -> AsyncIterator[ChromaVectors]:
    """Open the index in a folder for the length of the block; create it if it does not exist."""
    loop = asyncio.get_running_loop()
    with ThreadPoolExecutor(1, thread_name_prefix="chroma") as thread:
        try:
            client = await loop.run_in_executor(thread, _client, folder)
        except Exception as error:
            raise _port_error(error, folder) from error
        try:
            collection = await loop.run_in_executor(thread, _collection, client, folder)
            yield ChromaVectors(
                collection,
                thread,
                lambda error: _port_error(error, folder),
                lambda held, ids: _rebuild(client, held, folder, ids),
            )
        finally:
            await loop.run_in_executor(thread, client.close)


def _client(folder: Path) -> Any:
    return chromadb.PersistentClient(path=str(folder), settings=Settings(anonymized_telemetry=False))


def _collection(client: Any, folder: Path) -> Any:
    try:
        return client.get_or_create_collection(
            _COLLECTION, embedding_function=None, configuration={"hnsw": {"space": "cosine"}}
        )
    except Exception as error:
        raise _port_error(error, folder) from error


def _rebuild(client: Any, held: Any, folder: Path, ids: Sequence[str]) -> tuple[Any, int]:
    made = rebuild(client, held, folder)
    return made, holds(folder, [memory_id.encode() for memory_id in ids])


def _port_error(error: Exception, folder: Path) -> StoreError:
    """Return the ports' error for whatever Chroma raised; its own errors do not tell a full volume from others."""
    if is_full(folder):
        return StorageFullError(_COMPONENT, "the volume is full")
    return StoreUnavailableError(_COMPONENT, type(error).__name__)
