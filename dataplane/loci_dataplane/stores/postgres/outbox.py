"""The Outbox port on PostgreSQL, shared by all pods of a tenant.

A claim leases entries to this process and skips those that another one is about to claim. A change renews an entry but
leaves its lease, so that no other pod indexes the same memory at the same time; `finish` and `postpone` end the leases
of this process. A process that starts ends those of processes of its host that are over.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from loci_dataplane.model.memory import timestamp
from loci_dataplane.stores.outbox_ports import DEAD, OutboxEntry
from loci_dataplane.stores.postgres.database import OUTBOX, Database
from loci_dataplane.stores.postgres.holders import is_over, new_holder
from loci_dataplane.stores.rows import due_time

_DUE: Final = "due_at <= $1::text AND (leased_until <= $1::text)"
_ANY_DUE: Final = f"SELECT FROM {{schema}}.outbox WHERE {_DUE} LIMIT 1"
_CLAIM: Final = f"""
WITH due AS (
  SELECT memory_id FROM {{schema}}.outbox WHERE {_DUE}
  ORDER BY due_at, revision LIMIT $2::bigint FOR UPDATE SKIP LOCKED
), claimed AS (
  UPDATE {{schema}}.outbox o SET leased_until = $3::text, leased_by = $4::text FROM due
  WHERE o.memory_id = due.memory_id RETURNING o.memory_id, o.revision, o.attempts, o.due_at
)
SELECT memory_id, revision, attempts FROM claimed ORDER BY due_at, revision
"""  # noqa: S608 - constant names
_THESE: Final = "unnest($1::text[], $2::text[]::bigint[]) AS seen (memory_id, revision)"
_FINISH: Final = f"""
DELETE FROM {{schema}}.outbox o USING {_THESE} WHERE o.memory_id = seen.memory_id AND o.revision = seen.revision
"""  # noqa: S608 - constant names
_POSTPONE: Final = f"""
UPDATE {{schema}}.outbox o SET attempts = attempts + $4::integer, due_at = $3::text FROM {_THESE}
WHERE o.memory_id = seen.memory_id AND o.revision = seen.revision
"""  # noqa: S608 - constant names
_RELEASE: Final = """
UPDATE {schema}.outbox SET leased_until = '', leased_by = '' WHERE memory_id = ANY($1::text[]) AND leased_by = $2::text
"""
_REVIVE: Final = f"UPDATE {{schema}}.outbox SET attempts = 0, due_at = '' WHERE due_at = '{DEAD}'"  # noqa: S608 - constant names
_HASTEN: Final = f"UPDATE {{schema}}.outbox SET due_at = '' WHERE attempts = 0 AND due_at NOT IN ('', '{DEAD}')"  # noqa: S608 - constant names
_NEXT_DUE: Final = f"SELECT min(greatest(due_at, leased_until)) AS due FROM {{schema}}.outbox WHERE due_at <> '{DEAD}'"  # noqa: S608 - constant names
_ENQUEUE: Final = "INSERT INTO {schema}.outbox (memory_id) SELECT unnest($1::text[]) ON CONFLICT DO NOTHING"
_HOLDERS: Final = "SELECT DISTINCT leased_by FROM {schema}.outbox WHERE leased_by <> ''"
_TAKE_OVER: Final = "UPDATE {schema}.outbox SET leased_until = '', leased_by = '' WHERE leased_by = ANY($1::text[])"
_ENQUEUE_ALL: Final = """
INSERT INTO {schema}.outbox (memory_id) SELECT id FROM {schema}.memory ON CONFLICT DO NOTHING
"""
_WAITING: Final = "(SELECT FROM {schema}.outbox o WHERE o.memory_id = m.id)"
_PENDING: Final = f"SELECT count(*) FROM {{schema}}.memory m WHERE EXISTS {_WAITING}"  # noqa: S608 - constant names
_SETTLED: Final = f"SELECT count(*) FROM {{schema}}.memory m WHERE NOT EXISTS {_WAITING}"  # noqa: S608 - constant names


class PostgresOutbox:
    """The outbox of one schema."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._holder = new_holder()

    async def take_over(self) -> None:
        """End the leases of processes that are known to be over, such as this pod's before its restart."""
        rows = await self._database.read(self._sql(_HOLDERS))
        if over := [row["leased_by"] for row in rows if is_over(row["leased_by"])]:
            await self._write(_TAKE_OVER, over)

    async def claim(self, limit: int, now: datetime, lease: timedelta) -> Sequence[OutboxEntry]:
        """Lease entries that are due; looks before it writes, since there are seldom any."""
        moment = timestamp(now)
        if not await self._database.read(self._sql(_ANY_DUE), moment):
            return []
        async with self._database.transaction(OUTBOX) as connection:
            until = timestamp(now + lease) if lease else ""
            rows = await connection.fetch(self._sql(_CLAIM), moment, limit, until, self._holder)
        return [OutboxEntry(row["memory_id"], row["revision"], row["attempts"]) for row in rows]

    async def finish(self, entries: Sequence[OutboxEntry]) -> None:
        """Remove entries that were not renewed."""
        await self._settle(entries, _FINISH)

    async def postpone(self, entries: Sequence[OutboxEntry], due_at: datetime, *, counted: bool = True) -> None:
        """Make entries due later."""
        await self._settle(entries, _POSTPONE, timestamp(due_at), int(counted))

    async def bury(self, entries: Sequence[OutboxEntry]) -> None:
        """Make dead letters of entries."""
        await self._settle(entries, _POSTPONE, DEAD, 1)

    async def revive(self) -> int:
        """Make dead letters due."""
        return await self._write(_REVIVE)

    async def hasten(self) -> None:
        """Make entries due that an outage postponed."""
        await self._write(_HASTEN)

    async def enqueue(self, ids: Sequence[str]) -> int:
        """Add entries that are missing."""
        return await self._write(_ENQUEUE, list(ids))

    async def enqueue_all(self) -> None:
        """Add an entry for every memory that has none."""
        await self._write(_ENQUEUE_ALL)

    async def enqueued(self, ids: Sequence[str]) -> Sequence[str]:
        """Return those that have an entry."""
        query = "SELECT memory_id FROM {schema}.outbox WHERE memory_id = ANY($1::text[])"
        return [row["memory_id"] for row in await self._database.read(self._sql(query), list(ids))]

    async def next_due(self) -> datetime | None:
        """Return when the next entry is due and not leased."""
        (row,) = await self._database.read(self._sql(_NEXT_DUE))
        return due_time(row["due"])

    async def backlog(self) -> int:
        """Return the number of entries without dead letters."""
        return await self._number(f"SELECT count(*) FROM {{schema}}.outbox WHERE due_at <> '{DEAD}'")  # noqa: S608 - constant names

    async def dead(self) -> int:
        """Return the number of dead letters."""
        return await self._number(f"SELECT count(*) FROM {{schema}}.outbox WHERE due_at = '{DEAD}'")  # noqa: S608 - constant names

    async def pending(self) -> int:
        """Return the number of memories that have an entry."""
        return await self._number(_PENDING)

    async def settled(self) -> int:
        """Return the number of memories that have no entry."""
        return await self._number(_SETTLED)

    async def _settle(self, entries: Sequence[OutboxEntry], statement: str, *more: object) -> None:
        ids = [entry.memory_id for entry in entries]
        async with self._database.transaction() as connection:
            await connection.execute(self._sql(statement), ids, [str(entry.revision) for entry in entries], *more)
            await connection.execute(self._sql(_RELEASE), ids, self._holder)

    async def _write(self, statement: str, *arguments: object) -> int:
        async with self._database.transaction(OUTBOX) as connection:
            tag = await connection.execute(self._sql(statement), *arguments)
        return int(tag.rpartition(" ")[2])

    async def _number(self, query: str) -> int:
        return int((await self._database.read(self._sql(query)))[0]["count"])

    def _sql(self, statement: str) -> str:
        return statement.format(schema=self._database.schema)
