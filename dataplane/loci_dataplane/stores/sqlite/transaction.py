"""The Transaction port on SQLite. The schema's triggers keep the count and the outbox."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import datetime
from typing import Final

import orjson

from loci_dataplane.model.memory import Memory, timestamp
from loci_dataplane.stores.errors import QuotaExceededError
from loci_dataplane.stores.sqlite.database import Run
from loci_dataplane.stores.sqlite.rows import COLUMNS, LIVE, memory_of, values
from loci_dataplane.stores.sqlite.terms import stored_terms

_INSERT: Final = f"INSERT INTO memories ({', '.join(COLUMNS)}) VALUES ({', '.join('?' for _ in COLUMNS)})"  # noqa: S608 - constant names
_UPDATE: Final = f"UPDATE memories SET {', '.join(f'{c} = ?' for c in COLUMNS)} WHERE id = ?"  # noqa: S608 - constant names
_ADD_TERMS: Final = "INSERT INTO memories_text (rowid, terms) VALUES (?, ?)"
_REPLACE_TERMS: Final = "UPDATE memories_text SET terms = ? WHERE rowid = (SELECT position FROM memories WHERE id = ?)"
_DELETE: Final = "DELETE FROM memories WHERE id IN (SELECT value FROM json_each(?))"
_EXPIRED: Final = "SELECT id FROM memories WHERE expires_at <= ? LIMIT ?"


class SqliteTransaction:
    """One open transaction."""

    def __init__(self, run: Run) -> None:
        self._run = run

    async def get(self, memory_id: str, now: datetime) -> Memory | None:
        """Return a memory; SQLite's single writer is the lock."""
        query = f"SELECT * FROM memories WHERE id = ? AND {LIVE}"  # noqa: S608 - constant
        row = await self._run(lambda c: c.execute(query, [memory_id, timestamp(now)]).fetchone())
        return memory_of(row) if row else None

    async def add(self, memory: Memory, max_memories: int) -> None:
        """Store a new memory within the quota."""
        terms = stored_terms(memory.content)

        def work(connection: sqlite3.Connection) -> None:
            used = int(connection.execute("SELECT memories FROM totals").fetchone()[0])
            if used >= max_memories:
                raise QuotaExceededError(limit=max_memories, used=used)
            position = connection.execute(_INSERT, values(memory)).lastrowid
            connection.execute(_ADD_TERMS, [position, terms])

        await self._run(work)

    async def replace(self, memory: Memory) -> None:
        """Overwrite a memory."""
        terms = stored_terms(memory.content)

        def work(connection: sqlite3.Connection) -> None:
            connection.execute(_UPDATE, [*values(memory), memory.id])
            connection.execute(_REPLACE_TERMS, [terms, memory.id])

        await self._run(work)

    async def delete(self, ids: Sequence[str]) -> int:
        """Delete memories; return how many existed."""
        return await self._run(lambda connection: _delete(connection, ids))

    async def delete_expired(self, now: datetime, limit: int) -> int:
        """Delete memories that have expired; return how many."""

        def work(connection: sqlite3.Connection) -> int:
            expired = connection.execute(_EXPIRED, [timestamp(now), limit]).fetchall()
            return _delete(connection, [row["id"] for row in expired])

        return await self._run(work)


def _delete(connection: sqlite3.Connection, ids: Sequence[str]) -> int:
    return connection.execute(_DELETE, [orjson.dumps(list(ids)).decode()]).rowcount
