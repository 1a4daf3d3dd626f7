"""Opening a tenant's records and graph in PostgreSQL, with vectors from elsewhere."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable

from loci_dataplane.model.history import Author
from loci_dataplane.stores.generations import Generations
from loci_dataplane.stores.ports import Graph, Stores, Transaction
from loci_dataplane.stores.postgres.database import Database
from loci_dataplane.stores.postgres.erasures import PostgresErasures
from loci_dataplane.stores.postgres.full_text import PostgresFullText
from loci_dataplane.stores.postgres.graph import PostgresGraph
from loci_dataplane.stores.postgres.history import PostgresHistory
from loci_dataplane.stores.postgres.outbox import PostgresOutbox
from loci_dataplane.stores.postgres.records import PostgresRecords
from loci_dataplane.stores.postgres.transaction import PostgresTransaction


@contextlib.asynccontextmanager
async def postgres_stores(
    tenant: str, dsn: Callable[[], str], vectors: Generations, graph: Graph | None = None
) -> AsyncIterator[Stores]:
    """A tenant's stores for the length of the block, with the graph unless it is elsewhere.

    The operator has created the schema and its role.
    """
    database = Database(tenant, dsn)
    await database.open()
    outbox = PostgresOutbox(database)
    try:
        await outbox.take_over()
        yield Stores(
            transaction=lambda author=None: _transaction(database, author or Author()),
            records=PostgresRecords(database),
            history=PostgresHistory(database),
            erasures=PostgresErasures(database),
            full_text=PostgresFullText(database),
            outbox=outbox,
            vectors=vectors,
            graph=graph or PostgresGraph(database),
        )
    finally:
        await database.close()


@contextlib.asynccontextmanager
async def _transaction(database: Database, author: Author) -> AsyncIterator[Transaction]:
    async with database.transaction() as session:
        yield PostgresTransaction(session, database.schema, author)
