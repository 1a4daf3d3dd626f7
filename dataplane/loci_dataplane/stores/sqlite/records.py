"""The Records port on SQLite."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import orjson

from loci_dataplane.model.filter import Filter
from loci_dataplane.model.memory import Memory, timestamp
from loci_dataplane.stores.rows import due_time, memory_of
from loci_dataplane.stores.sqlite.database import Database
from loci_dataplane.stores.sqlite.filter import condition
from loci_dataplane.stores.sqlite.rows import LIVE

_NEIGHBOURS: Final = """
SELECT m.id,
  (SELECT p.id FROM memories p WHERE p.session_id = m.session_id AND p.position < m.position
   ORDER BY p.position DESC LIMIT 1),
  (SELECT n.id FROM memories n WHERE n.session_id = m.session_id AND n.position > m.position
   ORDER BY n.position LIMIT 1)
FROM memories m WHERE m.id IN (SELECT value FROM json_each(?))
"""
_POSITION_MAX: Final = 2**63 - 1
_PROBE: Final = "UPDATE totals SET memories = memories"
"""Writes a page and changes nothing."""


class SqliteRecords:
    """The rows of one file."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, ids: Sequence[str], now: datetime) -> dict[str, Memory]:
        """Return those that exist and have not expired."""
        query = f"SELECT * FROM memories WHERE id IN (SELECT value FROM json_each(?)) AND {LIVE}"  # noqa: S608 - constant
        rows = await self._rows(query, [orjson.dumps(list(ids)).decode(), timestamp(now)])
        return {row["id"]: memory_of(row) for row in rows}

    async def page(
        self, where: Filter, after: int | None, limit: int, now: datetime, *, descending: bool = False
    ) -> Sequence[Memory]:
        """Return memories by their position."""
        sql, parameters = condition(where)
        beyond, order, start = ("<", "DESC", _POSITION_MAX) if descending else (">", "ASC", 0)
        query = (
            f"SELECT * FROM memories WHERE position {beyond} ? AND {LIVE} AND {sql} ORDER BY position {order} LIMIT ?"  # noqa: S608 - values are parameters
        )
        values = [start if after is None else after, timestamp(now), *parameters, limit]
        return [memory_of(row) for row in await self._rows(query, values)]

    async def matching(self, where: Filter, limit: int, now: datetime) -> Sequence[str]:
        """Return ids of memories that the filter matches."""
        sql, parameters = condition(where)
        query = f"SELECT id FROM memories WHERE {LIVE} AND {sql} LIMIT ?"  # noqa: S608 - values are parameters
        return [row["id"] for row in await self._rows(query, [timestamp(now), *parameters, limit])]

    async def neighbours(self, ids: Sequence[str]) -> dict[str, tuple[str, ...]]:
        """Return the memories before and after each in its session."""
        rows = await self._rows(_NEIGHBOURS, [orjson.dumps(list(ids)).decode()])
        return {row[0]: tuple(n for n in row[1:] if n is not None) for row in rows}

    async def count(self) -> int:
        """Return the number of memories, from a counter."""
        return int((await self._rows("SELECT memories FROM totals", []))[0][0])

    async def ids(self, after: str, limit: int) -> Sequence[str]:
        """Return ids in their order."""
        rows = await self._rows("SELECT id FROM memories WHERE id > ? ORDER BY id LIMIT ?", [after, limit])
        return [row["id"] for row in rows]

    async def existing(self, ids: Sequence[str]) -> Sequence[str]:
        """Return those that a memory has."""
        query = "SELECT id FROM memories WHERE id IN (SELECT value FROM json_each(?))"
        return [row["id"] for row in await self._rows(query, [orjson.dumps(list(ids)).decode()])]

    async def first_expiry(self) -> datetime | None:
        """Return when the next memory expires, by an index."""
        ((expiry,),) = await self._rows("SELECT min(expires_at) FROM memories WHERE expires_at IS NOT NULL", [])
        return due_time(expiry)

    async def generation(self) -> str:
        """Return SQLite's own counter of the writer's commits, which is valid in this process."""
        return str(
            await self._database.read(lambda connection: connection.execute("PRAGMA data_version").fetchone()[0])
        )

    async def check(self) -> None:
        """Read; look for free space, since a small write may still fit into the log of a full volume.

        If the last write failed, also write a page, so that a recovery shows without traffic.
        """
        await self.count()
        await self._database.check_space()
        if self._database.write_failed:
            async with self._database.transaction() as run:
                await run(lambda connection: connection.execute(_PROBE))

    async def _rows(self, query: str, parameters: Sequence[Any]) -> list[sqlite3.Row]:
        return await self._database.read(lambda connection: connection.execute(query, parameters).fetchall())
