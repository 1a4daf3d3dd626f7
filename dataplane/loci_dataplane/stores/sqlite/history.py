"""The History port on SQLite, and the statements with which a transaction adds versions."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import datetime
from typing import Final

import orjson

from loci_dataplane.model.history import Author, Change, Event
from loci_dataplane.model.memory import Memory, timestamp
from loci_dataplane.stores.history_ports import HISTORY_KEPT, HISTORY_VERSIONS
from loci_dataplane.stores.rows import memory_of
from loci_dataplane.stores.sqlite.database import Database
from loci_dataplane.stores.sqlite.rows import COLUMNS, values

STATE: Final = ("content", "user_id", "agent_id", "session_id", "metadata", "created_at", "updated_at", "expires_at")
"""The columns of a memory that a version keeps."""
_STATE: Final = ", ".join(STATE)
_SETTLE: Final = f"""
UPDATE history SET ({_STATE}) = (SELECT {_STATE} FROM memories WHERE id = history.memory_id)
WHERE (memory_id, version) IN (SELECT id, version FROM memories WHERE id IN (SELECT value FROM json_each(?)))
"""  # noqa: S608 - constant names
_ADD: Final = "INSERT OR REPLACE INTO history (memory_id, version, event, at, key_id) VALUES (?, ?, ?, ?, ?)"
_END: Final = """
INSERT OR REPLACE INTO history (memory_id, version, event, at, key_id)
SELECT id, version + 1, ?, ?, ? FROM memories WHERE id IN (SELECT value FROM json_each(?))
"""
_RESTORE: Final = (
    f"INSERT OR REPLACE INTO history (memory_id, version, event, at, key_id, {_STATE}) "  # noqa: S608 - constant names
    f"VALUES ({', '.join('?' * (5 + len(STATE)))})"
)
_DELETED: Final = """
SELECT DISTINCT memory_id FROM history WHERE memory_id > ? AND memory_id NOT IN (SELECT id FROM memories)
ORDER BY memory_id LIMIT ?
"""
_TRIM: Final = "DELETE FROM history WHERE memory_id = ? AND version <= ?"
_OLD: Final = """
DELETE FROM history WHERE memory_id IN (
  SELECT memory_id FROM history WHERE event IN ('deleted', 'expired') AND at <= ? LIMIT 100
) AND memory_id NOT IN (SELECT id FROM memories)
"""
_VERSIONS: Final = f"""
SELECT h.memory_id, h.version, h.event, h.at, h.key_id, m.position,
  {", ".join(f"coalesce(h.{column}, m.{column}) AS {column}" for column in STATE)}
FROM history h LEFT JOIN memories m ON m.id = h.memory_id AND m.version = h.version
WHERE h.memory_id = ? ORDER BY h.version DESC LIMIT ?
"""  # noqa: S608 - constant names


class SqliteHistory:
    """The histories of one file."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def versions(self, memory_id: str) -> Sequence[Change]:
        """Return the last versions of a memory, oldest first."""
        parameters = [memory_id, HISTORY_VERSIONS]
        rows = await self._database.read(lambda c: c.execute(_VERSIONS, parameters).fetchall())
        return [change_of(row) for row in reversed(rows)]

    async def deleted(self, after: str, limit: int) -> Sequence[str]:
        """Return ids that have a history and no memory."""
        rows = await self._database.read(lambda c: c.execute(_DELETED, [after, limit]).fetchall())
        return [row["memory_id"] for row in rows]


def restore(connection: sqlite3.Connection, change: Change) -> None:
    """Add a version that is not the present one."""
    state = dict(zip(COLUMNS, values(change.memory), strict=True)) if change.memory else {}
    head = [change.memory_id, change.version, change.event, timestamp(change.author.at), change.author.key_id]
    connection.execute(_RESTORE, [*head, *(state.get(column) for column in STATE)])


def change_of(row: sqlite3.Row) -> Change:
    """Return the version of a row."""
    author = Author(row["key_id"], datetime.fromisoformat(row["at"]))
    memory = memory_of(row, "memory_id") if row["content"] is not None else None
    return Change(row["memory_id"], row["version"], Event(row["event"]), author, memory)


def note(connection: sqlite3.Connection, memory: Memory, event: Event, author: Author) -> None:
    """Add a version that is the present one."""
    connection.execute(_ADD, [memory.id, memory.version, event, timestamp(author.at), author.key_id])
    if memory.version > HISTORY_VERSIONS:
        connection.execute(_TRIM, [memory.id, memory.version - HISTORY_VERSIONS])


def settle(connection: sqlite3.Connection, ids: Sequence[str]) -> None:
    """Keep the present versions of memories that are about to be replaced or deleted."""
    connection.execute(_SETTLE, [orjson.dumps(list(ids)).decode()])


def end(connection: sqlite3.Connection, ids: Sequence[str], event: Event, author: Author) -> None:
    """Keep the present versions of memories that are about to be deleted, and say that they were."""
    settle(connection, ids)
    connection.execute(_END, [event, timestamp(author.at), author.key_id, orjson.dumps(list(ids)).decode()])
    connection.execute(_OLD, [timestamp(author.at - HISTORY_KEPT)])
