"""The Transaction port on SQLite. The schema's triggers keep the count and the outbox, this module the history."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import datetime
from typing import Final

import orjson

from loci_dataplane.model.history import Author, Change, Event
from loci_dataplane.model.memory import Memory, timestamp
from loci_dataplane.model.reply import Attempt, Reply
from loci_dataplane.stores.errors import QuotaExceededError
from loci_dataplane.stores.rows import memory_of
from loci_dataplane.stores.sqlite import history, replies
from loci_dataplane.stores.sqlite.database import Run
from loci_dataplane.stores.sqlite.rows import COLUMNS, LIVE, values
from loci_dataplane.stores.sqlite.terms import stored_terms

_INSERT: Final = f"INSERT INTO memories ({', '.join(COLUMNS)}) VALUES ({', '.join('?' for _ in COLUMNS)})"  # noqa: S608 - constant names
_UPDATE: Final = f"UPDATE memories SET {', '.join(f'{c} = ?' for c in COLUMNS)} WHERE id = ?"  # noqa: S608 - constant names
_ADD_TERMS: Final = "INSERT INTO memories_text (rowid, terms) VALUES (?, ?)"
_REPLACE_TERMS: Final = "UPDATE memories_text SET terms = ? WHERE rowid = (SELECT position FROM memories WHERE id = ?)"
_DELETE: Final = "DELETE FROM memories WHERE id IN (SELECT value FROM json_each(?))"
_LAST_VERSION: Final = "SELECT coalesce(max(version), 0) FROM history WHERE memory_id = ?"
_EXPIRED: Final = "SELECT id FROM memories WHERE expires_at <= ? LIMIT ?"


class SqliteTransaction:
    """One open transaction."""

    def __init__(self, run: Run, author: Author) -> None:
        self._run = run
        self._author = author

    async def get(self, memory_id: str, now: datetime) -> Memory | None:
        """Return a memory; SQLite's single writer is the lock."""
        query = f"SELECT * FROM memories WHERE id = ? AND {LIVE}"  # noqa: S608 - constant
        row = await self._run(lambda c: c.execute(query, [memory_id, timestamp(now)]).fetchone())
        return memory_of(row) if row else None

    async def add(self, memory: Memory, max_memories: int) -> None:
        """Store a new memory within the quota."""
        await self.restore([Change(memory.id, memory.version, Event.CREATED, self._author, memory)], max_memories)

    async def replace(self, memory: Memory) -> None:
        """Overwrite a memory."""
        terms = stored_terms(memory.content)

        def work(connection: sqlite3.Connection) -> None:
            history.settle(connection, [memory.id])
            connection.execute(_UPDATE, [*values(memory), memory.id])
            connection.execute(_REPLACE_TERMS, [terms, memory.id])
            history.note(connection, memory, Event.UPDATED, self._author)

        await self._run(work)

    async def delete(self, ids: Sequence[str]) -> int:
        """Delete memories; return how many existed."""
        return await self._run(lambda connection: _delete(connection, ids, Event.DELETED, self._author))

    async def delete_expired(self, now: datetime, limit: int) -> int:
        """Delete memories that have expired; return how many."""

        def work(connection: sqlite3.Connection) -> int:
            expired = connection.execute(_EXPIRED, [timestamp(now), limit]).fetchall()
            return _delete(connection, [row["id"] for row in expired], Event.EXPIRED, Author(at=now))

        return await self._run(work)

    async def last_version(self, memory_id: str) -> int:
        """Return the last version of an id."""
        return int(await self._run(lambda c: c.execute(_LAST_VERSION, [memory_id]).fetchone()[0]))

    async def restore(self, changes: Sequence[Change], max_memories: int) -> None:
        """Store a history, and its memory within the quota."""
        memory = changes[-1].memory
        terms = stored_terms(memory.content) if memory else ""

        def work(connection: sqlite3.Connection) -> None:
            if memory:
                _insert(connection, memory, terms, max_memories)
                history.note(connection, memory, changes[-1].event, changes[-1].author)
            for change in changes[:-1] if memory else changes:
                history.restore(connection, change)

        await self._run(work)

    async def reply(self, key: str, now: datetime) -> tuple[str, Reply] | None:
        """Return what was kept for a key."""
        return await self._run(lambda connection: replies.get(connection, key, now))

    async def keep_reply(self, attempt: Attempt, reply: Reply, now: datetime, expires_at: datetime) -> None:
        """Keep the reply to an attempt."""
        await self._run(lambda connection: replies.keep(connection, attempt, reply, now, expires_at))


def _insert(connection: sqlite3.Connection, memory: Memory, terms: str, max_memories: int) -> None:
    used = int(connection.execute("SELECT memories FROM totals").fetchone()[0])
    if used >= max_memories:
        raise QuotaExceededError(limit=max_memories, used=used)
    position = connection.execute(_INSERT, values(memory)).lastrowid
    connection.execute(_ADD_TERMS, [position, terms])


def _delete(connection: sqlite3.Connection, ids: Sequence[str], event: Event, author: Author) -> int:
    history.end(connection, ids, event, author)
    return connection.execute(_DELETE, [orjson.dumps(list(ids)).decode()]).rowcount
