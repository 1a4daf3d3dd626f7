"""The Transaction port on PostgreSQL: each change is one statement that also keeps the totals and the outbox."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from loci_dataplane.model.history import Author, Change, Event
from loci_dataplane.model.memory import Memory, timestamp
from loci_dataplane.model.reply import Attempt, Reply
from loci_dataplane.stores.errors import QuotaExceededError
from loci_dataplane.stores.postgres import replies
from loci_dataplane.stores.postgres.database import Session
from loci_dataplane.stores.postgres.history import Versions
from loci_dataplane.stores.postgres.records import LIVE
from loci_dataplane.stores.postgres.rows import COLUMNS, READ, values
from loci_dataplane.stores.rows import memory_of

_PARAMETERS: Final = [f"${number}::{kind}" for number, kind in enumerate(COLUMNS.values(), 1)]
_WORDS: Final = _PARAMETERS[-1]
_NOTE: Final = """
ON CONFLICT (memory_id) DO UPDATE SET revision = nextval('{schema}.revision'), attempts = 0, due_at = ''
"""
_INDEXED: Final = "row_to_json((content, user_id, session_id, metadata, created_at))::text AS indexed"
"""Source data of the vectors and the graph."""
_ADD: Final = f"""
WITH place AS (
  UPDATE {{schema}}.totals SET memories = memories + 1, position = position + 1, words = words + {_WORDS}
  WHERE memories < ${len(COLUMNS) + 1}::bigint RETURNING position
), stored AS (
  INSERT INTO {{schema}}.memory (position, {", ".join(COLUMNS)})
  SELECT position, {", ".join(_PARAMETERS)} FROM place RETURNING id
), noted AS (
  INSERT INTO {{schema}}.outbox (memory_id) SELECT id FROM stored {_NOTE}
)
SELECT memories AS used, (SELECT count(*) FROM place) AS added FROM {{schema}}.totals
"""  # noqa: S608 - constant names
_REPLACE: Final = f"""
WITH old AS (
  SELECT words, {_INDEXED} FROM {{schema}}.memory WHERE id = $1
), changed AS (
  UPDATE {{schema}}.memory SET {", ".join(f"{c} = {p}" for c, p in zip(COLUMNS, _PARAMETERS, strict=True))}
  WHERE id = $1 RETURNING id, words, {_INDEXED}
), counted AS (
  UPDATE {{schema}}.totals SET words = totals.words + changed.words - old.words FROM changed, old
  WHERE changed.words <> old.words
)
INSERT INTO {{schema}}.outbox (memory_id) SELECT id FROM changed, old WHERE changed.indexed <> old.indexed {_NOTE}
"""  # noqa: S608 - constant names
DELETE: Final = f"""
WITH gone AS (
  DELETE FROM {{schema}}.memory WHERE id = ANY($1::text[]) RETURNING id, words
), counted AS (
  UPDATE {{schema}}.totals SET
    memories = memories - (SELECT count(*) FROM gone), words = words - (SELECT coalesce(sum(words), 0) FROM gone)
), noted AS (
  INSERT INTO {{schema}}.outbox (memory_id) SELECT id FROM gone {_NOTE}
)
SELECT count(*) FROM gone
"""  # noqa: S608 - constant names
_EXPIRED: Final = "SELECT id FROM {schema}.memory WHERE expires_at <= $1::text LIMIT $2::bigint"


class PostgresTransaction:
    """One open transaction, which holds the lock of the schema's totals."""

    def __init__(self, connection: Session, schema: str, author: Author) -> None:
        self._connection = connection
        self._schema = schema
        self._author = author
        self._history = Versions(connection, schema)

    async def get(self, memory_id: str, now: datetime) -> Memory | None:
        """Return a memory; the lock of the totals keeps it as it is."""
        query = f"SELECT {READ} FROM {self._schema}.memory WHERE id = $1::text AND {LIVE.format('$2::text')}"  # noqa: S608 - constant names
        row = await self._connection.fetchrow(query, memory_id, timestamp(now))
        return memory_of(row) if row else None

    async def add(self, memory: Memory, max_memories: int) -> None:
        """Store a new memory within the quota."""
        await self._insert(memory, max_memories)
        await self._history.note(memory, Event.CREATED, self._author)

    async def restore(self, changes: Sequence[Change], max_memories: int) -> None:
        """Store a history, and its memory within the quota."""
        *earlier, last = changes
        if last.memory:
            await self._insert(last.memory, max_memories)
            await self._history.note(last.memory, last.event, last.author)
        for change in earlier if last.memory else changes:
            await self._history.restore(change)

    async def _insert(self, memory: Memory, max_memories: int) -> None:
        query = _ADD.format(schema=self._schema)
        row = await self._connection.fetchrow(query, *values(memory), max_memories)
        if row is None or not row["added"]:
            raise QuotaExceededError(limit=max_memories, used=row["used"] if row else 0)

    async def replace(self, memory: Memory) -> None:
        """Overwrite a memory."""
        await self._history.settle([memory.id])
        await self._connection.execute(_REPLACE.format(schema=self._schema), *values(memory))
        await self._history.note(memory, Event.UPDATED, self._author)

    async def delete(self, ids: Sequence[str]) -> int:
        """Delete memories; return how many existed."""
        return await self._delete(ids, Event.DELETED, self._author)

    async def delete_expired(self, now: datetime, limit: int) -> int:
        """Delete memories that have expired; return how many."""
        rows = await self._connection.fetch(_EXPIRED.format(schema=self._schema), timestamp(now), limit)
        return await self._delete([row["id"] for row in rows], Event.EXPIRED, Author(at=now))

    async def last_version(self, memory_id: str) -> int:
        """Return the last version of an id."""
        return await self._history.last(memory_id)

    async def reply(self, key: str, now: datetime) -> tuple[str, Reply] | None:
        """Return what was kept for a key."""
        return await replies.get(self._connection, self._schema, key, now)

    async def keep_reply(self, attempt: Attempt, reply: Reply, now: datetime, expires_at: datetime) -> None:
        """Keep the reply to an attempt."""
        await replies.remove_expired(self._connection, self._schema, now)
        await replies.keep(self._connection, self._schema, attempt, reply, expires_at)

    async def _delete(self, ids: Sequence[str], event: Event, author: Author) -> int:
        await self._history.end(ids, event, author)
        return int(await self._connection.fetchval(DELETE.format(schema=self._schema), list(ids)))
