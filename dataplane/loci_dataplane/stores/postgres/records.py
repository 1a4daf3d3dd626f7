"""The Records port on PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from loci_dataplane.model.filter import Filter
from loci_dataplane.model.memory import Memory, timestamp
from loci_dataplane.stores.postgres.database import Database
from loci_dataplane.stores.postgres.filter import Arguments, condition
from loci_dataplane.stores.postgres.rows import READ
from loci_dataplane.stores.rows import due_time, memory_of

LIVE: Final = "(expires_at IS NULL OR expires_at > {})"
"""Condition on a memory that has not expired at a time."""
_NEIGHBOURS: Final = """
SELECT m.id,
  (SELECT p.id FROM {schema}.memory p WHERE p.session_id = m.session_id AND p.position < m.position
   ORDER BY p.position DESC LIMIT 1) AS before,
  (SELECT n.id FROM {schema}.memory n WHERE n.session_id = m.session_id AND n.position > m.position
   ORDER BY n.position LIMIT 1) AS after
FROM {schema}.memory m WHERE m.id = ANY($1::text[])
"""


class PostgresRecords:
    """The rows of one schema."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._memory = f"{database.schema}.memory"
        self._totals = f"{database.schema}.totals"

    async def get(self, ids: Sequence[str], now: datetime) -> dict[str, Memory]:
        """Return those that exist and have not expired."""
        query = f"SELECT {READ} FROM {self._memory} WHERE id = ANY($1::text[]) AND {LIVE.format('$2::text')}"  # noqa: S608 - constant names
        return {row["id"]: memory_of(row) for row in await self._database.read(query, list(ids), timestamp(now))}

    async def page(
        self, where: Filter, after: int | None, limit: int, now: datetime, *, descending: bool = False
    ) -> Sequence[Memory]:
        """Return memories in order of creation, or against it."""
        arguments = Arguments()
        parts = [LIVE.format(arguments.add(timestamp(now))), condition(where, arguments)]
        if after is not None:
            parts.append(f"position {'<' if descending else '>'} {arguments.add(after, 'bigint')}")
        order = f"ORDER BY position {'DESC' if descending else 'ASC'} LIMIT {arguments.add(limit, 'bigint')}"
        query = f"SELECT {READ} FROM {self._memory} WHERE {' AND '.join(parts)} {order}"  # noqa: S608 - values are parameters
        return [memory_of(row) for row in await self._database.read(query, *arguments.values)]

    async def matching(self, where: Filter, limit: int, now: datetime) -> Sequence[str]:
        """Return ids of memories that the filter matches."""
        arguments = Arguments()
        live, matches = LIVE.format(arguments.add(timestamp(now))), condition(where, arguments)
        query = f"SELECT id FROM {self._memory} WHERE {live} AND {matches} LIMIT {arguments.add(limit, 'bigint')}"  # noqa: S608 - values are parameters
        return [row["id"] for row in await self._database.read(query, *arguments.values)]

    async def neighbours(self, ids: Sequence[str]) -> dict[str, tuple[str, ...]]:
        """Return the memories before and after each in its session."""
        rows = await self._database.read(_NEIGHBOURS.format(schema=self._database.schema), list(ids))
        return {row["id"]: tuple(n for n in (row["before"], row["after"]) if n is not None) for row in rows}

    async def count(self) -> int:
        """Return the number of memories, from a counter."""
        return int((await self._database.read(f"SELECT memories FROM {self._totals}"))[0]["memories"])  # noqa: S608 - constant names

    async def ids(self, after: str, limit: int) -> Sequence[str]:
        """Return ids in their order."""
        query = f"SELECT id FROM {self._memory} WHERE id > $1::text ORDER BY id LIMIT $2::bigint"  # noqa: S608 - constant names
        return [row["id"] for row in await self._database.read(query, after, limit)]

    async def existing(self, ids: Sequence[str]) -> Sequence[str]:
        """Return those that a memory has."""
        query = f"SELECT id FROM {self._memory} WHERE id = ANY($1::text[])"  # noqa: S608 - constant names
        return [row["id"] for row in await self._database.read(query, list(ids))]

    async def first_expiry(self) -> datetime | None:
        """Return when the next memory expires, by an index."""
        query = f"SELECT min(expires_at) AS expiry FROM {self._memory} WHERE expires_at IS NOT NULL"  # noqa: S608 - constant names
        (row,) = await self._database.read(query)
        return due_time(row["expiry"])

    async def generation(self) -> str:
        """Return the value that the last write gave to the totals."""
        return str((await self._database.read(f"SELECT generation FROM {self._totals}"))[0]["generation"])  # noqa: S608 - constant names

    async def check(self) -> None:
        """Read; if the last write failed, also write a page, so that a recovery shows without traffic."""
        await self.count()
        if self._database.write_failed:
            async with self._database.transaction() as connection:
                await connection.execute(f"UPDATE {self._totals} SET memories = memories")  # noqa: S608 - constant names
