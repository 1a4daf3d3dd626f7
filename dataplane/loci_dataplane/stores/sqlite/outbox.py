"""The Outbox port on SQLite. Only one process opens the file, so a claim needs no lease."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from loci_dataplane.model.memory import timestamp
from loci_dataplane.stores.ports import OutboxEntry
from loci_dataplane.stores.sqlite.database import Database


class SqliteOutbox:
    """The outbox of one file."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def claim(self, limit: int, now: datetime, lease: timedelta) -> Sequence[OutboxEntry]:
        """Return entries that are due."""
        del lease
        query = "SELECT memory_id, revision, attempts FROM outbox WHERE due_at <= ? ORDER BY due_at, rowid LIMIT ?"
        parameters = [timestamp(now), limit]
        rows = await self._database.read(lambda connection: connection.execute(query, parameters).fetchall())
        return [OutboxEntry(*row) for row in rows]

    async def finish(self, entries: Sequence[OutboxEntry]) -> None:
        """Remove entries that were not renewed."""
        rows = [(entry.memory_id, entry.revision) for entry in entries]
        statement = "DELETE FROM outbox WHERE memory_id = ? AND revision = ?"
        await self._write(lambda connection: connection.executemany(statement, rows))

    async def postpone(self, entries: Sequence[OutboxEntry], due_at: datetime) -> None:
        """Count a failed attempt."""
        statement = "UPDATE outbox SET attempts = attempts + 1, due_at = ? WHERE memory_id = ? AND revision = ?"
        rows = [(timestamp(due_at), entry.memory_id, entry.revision) for entry in entries]
        await self._write(lambda connection: connection.executemany(statement, rows))

    async def enqueue_all(self) -> None:
        """Add an entry for every memory that has none."""
        statement = "INSERT OR IGNORE INTO outbox (memory_id) SELECT id FROM memories"
        await self._write(lambda connection: connection.execute(statement))

    async def backlog(self) -> int:
        """Return the number of entries."""
        return await self._number("SELECT count(*) FROM outbox")

    async def pending(self) -> int:
        """Return the number of memories that have an entry."""
        return await self._number("SELECT count(*) FROM outbox WHERE memory_id IN (SELECT id FROM memories)")

    async def settled(self) -> int:
        """Return the number of memories that have no entry."""
        return await self._number("SELECT count(*) FROM memories WHERE id NOT IN (SELECT memory_id FROM outbox)")

    async def _write(self, work: Callable[[sqlite3.Connection], Any]) -> None:
        async with self._database.transaction() as run:
            await run(work)

    async def _number(self, query: str) -> int:
        return int(await self._database.read(lambda connection: connection.execute(query).fetchone()[0]))
