"""Opening the embedded profile's stores: all of a tenant's data in one folder."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

from loci_dataplane.model.history import Author
from loci_dataplane.stores.chroma.embedded import embedded_vectors
from loci_dataplane.stores.generations import Generations
from loci_dataplane.stores.ports import Graph, Stores, Transaction
from loci_dataplane.stores.sqlite.database import Database
from loci_dataplane.stores.sqlite.erasures import SqliteErasures
from loci_dataplane.stores.sqlite.full_text import SqliteFullText
from loci_dataplane.stores.sqlite.graph import SqliteGraph
from loci_dataplane.stores.sqlite.history import SqliteHistory
from loci_dataplane.stores.sqlite.outbox import SqliteOutbox
from loci_dataplane.stores.sqlite.records import SqliteRecords
from loci_dataplane.stores.sqlite.transaction import SqliteTransaction


@contextlib.asynccontextmanager
async def embedded_stores(folder: Path) -> AsyncIterator[Stores]:
    """Open a tenant's stores for the length of the block; create them if they do not exist."""
    async with embedded_vectors(folder / "chroma") as vectors, sqlite_stores(folder, vectors) as stores:
        yield stores


@contextlib.asynccontextmanager
async def sqlite_stores(folder: Path, vectors: Generations, graph: Graph | None = None) -> AsyncIterator[Stores]:
    """Open the records in a folder, and the graph unless it is elsewhere."""
    database = Database(folder / "memories.db")
    try:
        await database.open()
        yield Stores(
            transaction=lambda author=None: _transaction(database, author or Author()),
            records=SqliteRecords(database),
            history=SqliteHistory(database),
            erasures=SqliteErasures(database),
            full_text=SqliteFullText(database),
            outbox=SqliteOutbox(database),
            vectors=vectors,
            graph=graph or SqliteGraph(database),
        )
    finally:
        await database.close()


@contextlib.asynccontextmanager
async def _transaction(database: Database, author: Author) -> AsyncIterator[Transaction]:
    async with database.transaction() as run:
        yield SqliteTransaction(run, author)
