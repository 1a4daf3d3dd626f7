"""The Outbox port on SQLite. Only one process opens the file, so a claim needs no lease."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import orjson

from loci_dataplane.model.memory import timestamp
from loci_dataplane.stores.outbox_ports import DEAD, OutboxEntry
from loci_dataplane.stores.rows import due_time
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

    async def postpone(self, entries: Sequence[OutboxEntry], due_at: datetime, *, counted: bool = True) -> None:
        """Make entries due later."""
        await self._put_off(entries, timestamp(due_at), int(counted))

    async def bury(self, entries: Sequence[OutboxEntry]) -> None:
        """Make dead letters of entries."""
        await self._put_off(entries, DEAD, 1)

    async def revive(self) -> int:
        """Make dead letters due."""
        return await self._write(
            lambda c: c.execute("UPDATE outbox SET attempts = 0, due_at = '' WHERE due_at = ?", [DEAD])
        )

    async def hasten(self) -> None:
        """Make entries due that an outage postponed."""
        statement = "UPDATE outbox SET due_at = '' WHERE attempts = 0 AND due_at NOT IN ('', ?)"
        await self._write(lambda connection: connection.execute(statement, [DEAD]))

    async def enqueue(self, ids: Sequence[str]) -> int:
        """Add entries that are missing."""
        statement = "INSERT OR IGNORE INTO outbox (memory_id) SELECT value FROM json_each(?)"
        return await self._write(lambda connection: connection.execute(statement, [orjson.dumps(list(ids)).decode()]))

    async def enqueue_all(self) -> None:
        """Add an entry for every memory that has none."""
        statement = "INSERT OR IGNORE INTO outbox (memory_id) SELECT id FROM memories"
        await self._write(lambda connection: connection.execute(statement))

    async def enqueued(self, ids: Sequence[str]) -> Sequence[str]:
        """Return those that have an entry."""
        query, given = "SELECT memory_id FROM outbox WHERE memory_id IN (SELECT value FROM json_each(?))", list(ids)
        rows = await self._database.read(lambda c: c.execute(query, [orjson.dumps(given).decode()]).fetchall())
        return [row["memory_id"] for row in rows]

    async def next_due(self) -> datetime | None:
        """Return when the next entry is due."""
        query = "SELECT min(due_at) FROM outbox WHERE due_at <> ?"
        (due,) = await self._database.read(lambda connection: connection.execute(query, [DEAD]).fetchone())
        return due_time(due)

    async def backlog(self) -> int:
        """Return the number of entries without dead letters."""
        return await self._number("SELECT count(*) FROM outbox WHERE due_at <> ?", DEAD)

    async def dead(self) -> int:
        """Return the number of dead letters."""
        return await self._number("SELECT count(*) FROM outbox WHERE due_at = ?", DEAD)

    async def pending(self) -> int:
        """Return the number of memories that have an entry."""
        return await self._number("SELECT count(*) FROM outbox WHERE memory_id IN (SELECT id FROM memories)")

    async def settled(self) -> int:
        """Return the number of memories that have no entry."""
        return await self._number("SELECT count(*) FROM memories WHERE id NOT IN (SELECT memory_id FROM outbox)")

    async def _put_off(self, entries: Sequence[OutboxEntry], due_at: str, attempts: int) -> None:
        statement = "UPDATE outbox SET attempts = attempts + ?, due_at = ? WHERE memory_id = ? AND revision = ?"
        rows = [(attempts, due_at, entry.memory_id, entry.revision) for entry in entries]
        await self._write(lambda connection: connection.executemany(statement, rows))

    async def _write(self, work: Callable[[sqlite3.Connection], sqlite3.Cursor]) -> int:
        async with self._database.transaction() as run:
            return await run(lambda connection: work(connection).rowcount)

    async def _number(self, query: str, *parameters: str) -> int:
        return int(await self._database.read(lambda connection: connection.execute(query, parameters).fetchone()[0]))
