"""Records in SQLite: rows, FTS5 full text and the outbox in one file and one transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

import orjson

from loci_dataplane.errors import QuotaExceededError
from loci_dataplane.model.filter import Filter
from loci_dataplane.model.memory import Memory, timestamp
from loci_dataplane.stores.ports import Hit, Task
from loci_dataplane.stores.sqlite.database import Database
from loci_dataplane.stores.sqlite.filter import condition

_LIVE: Final = "(expires_at IS NULL OR expires_at > ?)"
_EXPIRED: Final = "SELECT position FROM memories WHERE expires_at <= ?"
_COLUMNS: Final = (
    "id",
    "content",
    "user_id",
    "agent_id",
    "session_id",
    "metadata",
    "created_at",
    "updated_at",
    "expires_at",
    "version",
)
_INSERT: Final = f"INSERT INTO memories ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' for _ in _COLUMNS)})"  # noqa: S608 - constant names
_UPDATE: Final = f"UPDATE memories SET {', '.join(f'{c} = ?' for c in _COLUMNS)} WHERE position = ?"  # noqa: S608 - constant names
_NEIGHBOURS: Final = """
SELECT m.id,
  (SELECT p.id FROM memories p WHERE p.session_id = m.session_id AND p.position < m.position
   ORDER BY p.position DESC LIMIT 1),
  (SELECT n.id FROM memories n WHERE n.session_id = m.session_id AND n.position > m.position
   ORDER BY n.position LIMIT 1)
FROM memories m WHERE m.id IN (SELECT value FROM json_each(?))
"""


class SqliteRecords:
    """The Records port on one SQLite file."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, memory: Memory, max_memories: int) -> None:
        """Store a memory durably; those that have expired make room."""

        def work(connection: sqlite3.Connection) -> None:
            if _held(connection) >= max_memories:
                statement = f"DELETE FROM memories WHERE position IN ({_EXPIRED})"  # noqa: S608 - constant
                connection.execute(statement, [timestamp(memory.updated_at)])
            if (held := _held(connection)) >= max_memories:
                message = (
                    f"This tenant may hold {max_memories} memories and does; delete some or ask for a larger tier."
                )
                raise QuotaExceededError(message, limit=max_memories, used=held)
            connection.execute(_INSERT, _values(memory))

        await self._database.write(work)

    async def get(self, ids: Sequence[str], now: datetime) -> dict[str, Memory]:
        """Those that exist and have not expired."""
        query = f"SELECT * FROM memories WHERE id IN (SELECT value FROM json_each(?)) AND {_LIVE}"  # noqa: S608 - constant
        rows = await self._rows(query, [orjson.dumps(list(ids)).decode(), timestamp(now)])
        return {row["id"]: _memory(row) for row in rows}

    async def page(self, where: Filter, after: int, limit: int, now: datetime) -> Sequence[Memory]:
        """Memories in order of creation."""
        sql, parameters = condition(where)
        query = f"SELECT * FROM memories WHERE position > ? AND {_LIVE} AND {sql} ORDER BY position LIMIT ?"  # noqa: S608 - values are parameters
        return [_memory(row) for row in await self._rows(query, [after, timestamp(now), *parameters, limit])]

    async def change(self, memory_id: str, now: datetime, changed: Callable[[Memory], Memory]) -> Memory | None:
        """Replace a memory."""

        def work(connection: sqlite3.Connection) -> Memory | None:
            current = _one(connection, memory_id, now)
            if current is None:
                return None
            new = replace(changed(current), version=current.version + 1)
            connection.execute(_UPDATE, [*_values(new), current.order])
            return new

        return await self._database.write(work)

    async def delete(self, memory_id: str, now: datetime, allowed: Callable[[Memory], None]) -> bool:
        """Remove a memory."""

        def work(connection: sqlite3.Connection) -> bool:
            current = _one(connection, memory_id, now)
            if current is None:
                return False
            allowed(current)
            connection.execute("DELETE FROM memories WHERE position = ?", [current.order])
            return True

        return await self._database.write(work)

    async def sweep(self, now: datetime, limit: int) -> int:
        """Remove expired memories; looks before it writes, since there are seldom any."""
        rows = await self._rows(f"{_EXPIRED} LIMIT ?", [timestamp(now), limit])
        if rows:
            statement = f"DELETE FROM memories WHERE position IN ({_EXPIRED} LIMIT ?)"  # noqa: S608 - constant
            await self._database.write(lambda connection: connection.execute(statement, [timestamp(now), limit]))
        return len(rows)

    async def count(self) -> int:
        """How many memories there are."""
        return await self._database.read(_held)

    async def search(self, query: str, where: Filter, limit: int, now: datetime) -> Sequence[Hit]:
        """Hits of an FTS5 query, best first; `bm25` is lower for better ones."""
        sql, parameters = condition(where)
        statement = f"""
            SELECT m.id, -bm25(memories_text) AS score
            FROM memories_text JOIN memories m ON m.position = memories_text.rowid
            WHERE memories_text MATCH ? AND {_LIVE} AND {sql} ORDER BY bm25(memories_text) LIMIT ?
        """  # noqa: S608 - values are parameters
        rows = await self._rows(statement, [query, timestamp(now), *parameters, limit])
        return [Hit(row["id"], row["score"]) for row in rows]

    async def matching(self, where: Filter, limit: int, now: datetime) -> Sequence[str]:
        """Ids that a filter admits."""
        sql, parameters = condition(where)
        query = f"SELECT id FROM memories WHERE {_LIVE} AND {sql} LIMIT ?"  # noqa: S608 - values are parameters
        return [row["id"] for row in await self._rows(query, [timestamp(now), *parameters, limit])]

    async def neighbours(self, ids: Sequence[str]) -> dict[str, tuple[str, ...]]:
        """The memories before and after each in its session."""
        rows = await self._rows(_NEIGHBOURS, [orjson.dumps(list(ids)).decode()])
        return {row[0]: tuple(n for n in row[1:] if n is not None) for row in rows}

    async def tasks(self, limit: int, now: datetime) -> Sequence[Task]:
        """Outbox entries that are due."""
        query = "SELECT memory_id, revision, attempts FROM outbox WHERE due_at <= ? ORDER BY due_at, rowid LIMIT ?"
        return [Task(*row) for row in await self._rows(query, [timestamp(now), limit])]

    async def finish(self, tasks: Sequence[Task]) -> None:
        """Remove entries that were not renewed."""
        rows = [(task.memory_id, task.revision) for task in tasks]
        await self._database.write(
            lambda connection: connection.executemany("DELETE FROM outbox WHERE memory_id = ? AND revision = ?", rows)
        )

    async def settled(self) -> int:
        """How many memories no outbox entry is about."""
        query = "SELECT count(*) FROM memories WHERE id NOT IN (SELECT memory_id FROM outbox)"
        return int((await self._rows(query, []))[0][0])

    async def requeue(self) -> None:
        """Put every memory into the outbox that is not there."""
        statement = "INSERT OR IGNORE INTO outbox (memory_id) SELECT id FROM memories"
        await self._database.write(lambda connection: connection.execute(statement))

    async def postpone(self, tasks: Sequence[Task], due_at: datetime) -> None:
        """Try entries again later."""
        statement = "UPDATE outbox SET attempts = attempts + 1, due_at = ? WHERE memory_id = ? AND revision = ?"
        rows = [(timestamp(due_at), task.memory_id, task.revision) for task in tasks]
        await self._database.write(lambda connection: connection.executemany(statement, rows))

    async def backlog(self) -> int:
        """How many outbox entries there are."""
        return int((await self._rows("SELECT count(*) FROM outbox", []))[0][0])

    async def _rows(self, query: str, parameters: Sequence[Any]) -> list[sqlite3.Row]:
        return await self._database.read(lambda connection: connection.execute(query, parameters).fetchall())


def _held(connection: sqlite3.Connection) -> int:
    return int(connection.execute("SELECT memories FROM totals").fetchone()[0])


def _one(connection: sqlite3.Connection, memory_id: str, now: datetime) -> Memory | None:
    query = f"SELECT * FROM memories WHERE id = ? AND {_LIVE}"  # noqa: S608 - constant
    row = connection.execute(query, [memory_id, timestamp(now)]).fetchone()
    return _memory(row) if row else None


def _values(memory: Memory) -> list[Any]:
    return [
        memory.id,
        memory.content,
        memory.user_id,
        memory.agent_id,
        memory.session_id,
        orjson.dumps(memory.metadata).decode(),
        timestamp(memory.created_at),
        timestamp(memory.updated_at),
        timestamp(memory.expires_at) if memory.expires_at else None,
        memory.version,
    ]


def _memory(row: sqlite3.Row) -> Memory:
    return Memory(
        id=row["id"],
        content=row["content"],
        user_id=row["user_id"],
        agent_id=row["agent_id"],
        session_id=row["session_id"],
        metadata=orjson.loads(row["metadata"]),
        created_at=datetime.fromisoformat(row["created_at"]),
        updated_at=datetime.fromisoformat(row["updated_at"]),
        expires_at=datetime.fromisoformat(row["expires_at"]) if row["expires_at"] else None,
        version=row["version"],
        order=row["position"],
    )
