"""The Transaction port on PostgreSQL: each change is one statement that also keeps the totals and the outbox."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from loci_dataplane.model.memory import Memory, timestamp
from loci_dataplane.stores.errors import QuotaExceededError
from loci_dataplane.stores.postgres.database import Session
from loci_dataplane.stores.postgres.records import LIVE
from loci_dataplane.stores.postgres.rows import COLUMNS, READ, memory_of, values

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
_DELETE: Final = f"""
WITH gone AS (
  DELETE FROM {{schema}}.memory WHERE id IN ({{ids}}) RETURNING id, words
), counted AS (
  UPDATE {{schema}}.totals SET
    memories = memories - (SELECT count(*) FROM gone), words = words - (SELECT coalesce(sum(words), 0) FROM gone)
), noted AS (
  INSERT INTO {{schema}}.outbox (memory_id) SELECT id FROM gone {_NOTE}
)
SELECT count(*) FROM gone
"""  # noqa: S608 - constant names
_THESE: Final = "SELECT unnest($1::text[])"
_EXPIRED: Final = "SELECT id FROM {schema}.memory WHERE expires_at <= $1::text LIMIT $2::bigint"


class PostgresTransaction:
    """One open transaction, which holds the lock of the schema's totals."""

    def __init__(self, connection: Session, schema: str) -> None:
        self._connection = connection
        self._schema = schema

    async def get(self, memory_id: str, now: datetime) -> Memory | None:
        """Return a memory; the lock of the totals keeps it as it is."""
        query = f"SELECT {READ} FROM {self._schema}.memory WHERE id = $1::text AND {LIVE.format('$2::text')}"  # noqa: S608 - constant names
        row = await self._connection.fetchrow(query, memory_id, timestamp(now))
        return memory_of(row) if row else None

    async def add(self, memory: Memory, max_memories: int) -> None:
        """Store a new memory within the quota."""
        query = _ADD.format(schema=self._schema)
        row = await self._connection.fetchrow(query, *values(memory), max_memories)
        if row is None or not row["added"]:
            raise QuotaExceededError(limit=max_memories, used=row["used"] if row else 0)

    async def replace(self, memory: Memory) -> None:
        """Overwrite a memory."""
        await self._connection.execute(_REPLACE.format(schema=self._schema), *values(memory))

    async def delete(self, ids: Sequence[str]) -> int:
        """Delete memories; return how many existed."""
        query = _DELETE.format(schema=self._schema, ids=_THESE)
        return int(await self._connection.fetchval(query, list(ids)))

    async def delete_expired(self, now: datetime, limit: int) -> int:
        """Delete memories that have expired; return how many."""
        query = _DELETE.format(schema=self._schema, ids=_EXPIRED.format(schema=self._schema))
        return int(await self._connection.fetchval(query, timestamp(now), limit))
