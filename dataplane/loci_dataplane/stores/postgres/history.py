"""The History port on PostgreSQL, and the statements with which a transaction adds versions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import asyncpg

from loci_dataplane.model.history import Author, Change, Event
from loci_dataplane.model.memory import Memory, timestamp
from loci_dataplane.stores.history_ports import HISTORY_KEPT, HISTORY_VERSIONS
from loci_dataplane.stores.postgres.database import Database, Session
from loci_dataplane.stores.postgres.rows import COLUMNS, values
from loci_dataplane.stores.rows import memory_of

_SHOWN: Final = ("content", "user_id", "agent_id", "session_id", "metadata", "created_at", "updated_at", "expires_at")
STATE: Final = (*_SHOWN, "plain", "folded")
"""The columns of a memory that a version keeps."""
_SETTLE: Final = f"""
UPDATE {{schema}}.history h SET {", ".join(f"{column} = m.{column}" for column in STATE)} FROM {{schema}}.memory m
WHERE m.id = ANY($1::text[]) AND h.memory_id = m.id AND h.version = m.version
"""  # noqa: S608 - constant names
_AGAIN: Final = f"""
ON CONFLICT (memory_id, version) DO UPDATE SET event = excluded.event, at = excluded.at, key_id = excluded.key_id,
  {", ".join(f"{column} = NULL" for column in STATE)}
"""
_ADD: Final = f"""
INSERT INTO {{schema}}.history (memory_id, version, event, at, key_id)
VALUES ($1::text, $2::bigint, $3::text, $4::text, $5::text) {_AGAIN}
"""  # noqa: S608 - constant names
_END: Final = f"""
INSERT INTO {{schema}}.history (memory_id, version, event, at, key_id)
SELECT id, version + 1, $2::text, $3::text, $4::text FROM {{schema}}.memory WHERE id = ANY($1::text[]) {_AGAIN}
"""  # noqa: S608 - constant names
_HEAD: Final = {"memory_id": "text", "version": "bigint", "event": "text", "at": "text", "key_id": "text"}
_ALL: Final = {**_HEAD, **{column: COLUMNS[column] for column in STATE}}
_RESTORE: Final = f"""
INSERT INTO {{schema}}.history ({", ".join(_ALL)})
VALUES ({", ".join(f"${number}::{kind}" for number, kind in enumerate(_ALL.values(), 1))})
"""  # noqa: S608 - constant names
_DELETED: Final = """
SELECT DISTINCT memory_id FROM {schema}.history h WHERE memory_id > $1::text
AND NOT EXISTS (SELECT FROM {schema}.memory m WHERE m.id = h.memory_id) ORDER BY memory_id LIMIT $2::bigint
"""
_TRIM: Final = "DELETE FROM {schema}.history WHERE memory_id = $1::text AND version <= $2::bigint"
_OLD: Final = """
DELETE FROM {schema}.history h WHERE memory_id IN (
  SELECT memory_id FROM {schema}.history WHERE event IN ('deleted', 'expired') AND at <= $1::text LIMIT 100
) AND NOT EXISTS (SELECT FROM {schema}.memory m WHERE m.id = h.memory_id)
"""
_LAST: Final = "SELECT coalesce(max(version), 0) FROM {schema}.history WHERE memory_id = $1::text"
_VERSIONS: Final = f"""
SELECT h.memory_id, h.version, h.event, h.at, h.key_id, m.position,
  {", ".join(f"coalesce(h.{column}, m.{column}) AS {column}" for column in _SHOWN)}
FROM {{schema}}.history h LEFT JOIN {{schema}}.memory m ON m.id = h.memory_id AND m.version = h.version
WHERE h.memory_id = $1::text ORDER BY h.version DESC LIMIT $2::bigint
"""  # noqa: S608 - constant names


class PostgresHistory:
    """The histories of one schema."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def versions(self, memory_id: str) -> Sequence[Change]:
        """Return the last versions of a memory, oldest first."""
        query = _VERSIONS.format(schema=self._database.schema)
        return [change_of(row) for row in reversed(await self._database.read(query, memory_id, HISTORY_VERSIONS))]

    async def deleted(self, after: str, limit: int) -> Sequence[str]:
        """Return ids that have a history and no memory."""
        query = _DELETED.format(schema=self._database.schema)
        return [row["memory_id"] for row in await self._database.read(query, after, limit)]


class Versions:
    """The histories within one transaction."""

    def __init__(self, connection: Session, schema: str) -> None:
        self._connection = connection
        self._schema = schema

    async def last(self, memory_id: str) -> int:
        """Return the last version of an id."""
        return int(await self._connection.fetchval(self._sql(_LAST), memory_id))

    async def note(self, memory: Memory, event: Event, author: Author) -> None:
        """Add a version that is the present one."""
        arguments = (memory.id, memory.version, event.value, timestamp(author.at), author.key_id)
        await self._connection.execute(self._sql(_ADD), *arguments)
        if memory.version > HISTORY_VERSIONS:
            await self._connection.execute(self._sql(_TRIM), memory.id, memory.version - HISTORY_VERSIONS)

    async def restore(self, change: Change) -> None:
        """Add a version that is not the present one."""
        state = dict(zip(COLUMNS, values(change.memory), strict=True)) if change.memory else {}
        head = (change.memory_id, change.version, change.event.value, timestamp(change.author.at), change.author.key_id)
        await self._connection.execute(self._sql(_RESTORE), *head, *(state.get(column) for column in STATE))

    async def settle(self, ids: Sequence[str]) -> None:
        """Keep the present versions of memories that are about to be replaced or deleted."""
        await self._connection.execute(self._sql(_SETTLE), list(ids))

    async def end(self, ids: Sequence[str], event: Event, author: Author) -> None:
        """Keep the present versions of memories that are about to be deleted, and say that they were."""
        await self.settle(ids)
        await self._connection.execute(self._sql(_END), list(ids), event.value, timestamp(author.at), author.key_id)
        await self._connection.execute(self._sql(_OLD), timestamp(author.at - HISTORY_KEPT))

    def _sql(self, statement: str) -> str:
        return statement.format(schema=self._schema)


def change_of(row: asyncpg.Record) -> Change:
    """Return the version of a row."""
    author = Author(row["key_id"], datetime.fromisoformat(row["at"]))
    memory = memory_of(row, "memory_id") if row["content"] is not None else None
    return Change(row["memory_id"], row["version"], Event(row["event"]), author, memory)
