"""Opening the embedded profile's stores: everything of a tenant in one folder."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

from loci_dataplane.stores.chroma.embedded import ChromaVectors
from loci_dataplane.stores.sqlite.database import Database
from loci_dataplane.stores.sqlite.records import SqliteRecords


@contextlib.asynccontextmanager
async def embedded_stores(folder: Path) -> AsyncIterator[tuple[SqliteRecords, ChromaVectors]]:
    """A tenant's records and vectors, open for the length of the block."""
    database, vectors = Database(folder / "memories.db"), ChromaVectors(folder / "chroma")
    try:
        await database.open()
        await vectors.open()
        yield SqliteRecords(database), vectors
    finally:
        await vectors.close()
        await database.close()
