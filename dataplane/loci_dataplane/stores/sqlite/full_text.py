"""The FullText port on SQLite's FTS5."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import orjson

from loci_dataplane.model.filter import Filter
from loci_dataplane.model.memory import timestamp
from loci_dataplane.stores.ports import Frequencies, Hit
from loci_dataplane.stores.sqlite.database import Database
from loci_dataplane.stores.sqlite.filter import condition
from loci_dataplane.stores.sqlite.rows import LIVE


class SqliteFullText:
    """The full-text index of one file."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def search(self, terms: Sequence[str], where: Filter, limit: int, now: datetime) -> Sequence[Hit]:
        """Return memories with any of the terms; FTS5's `bm25` is lower for better ones."""
        if not terms:
            return []
        sql, parameters = condition(where)
        statement = f"""
            SELECT m.id, -bm25(memories_text) AS score
            FROM memories_text JOIN memories m ON m.position = memories_text.rowid
            WHERE memories_text MATCH ? AND {LIVE} AND {sql} ORDER BY bm25(memories_text) LIMIT ?
        """  # noqa: S608 - values are parameters
        arguments = [_expression(terms), timestamp(now), *parameters, limit]
        rows = await self._database.read(lambda connection: connection.execute(statement, arguments).fetchall())
        return [Hit(row["id"], row["score"]) for row in rows]

    async def frequencies(self, terms: Sequence[str]) -> Frequencies:
        """Return how many memories contain each term."""
        statement = "SELECT term, doc FROM memories_terms WHERE term IN (SELECT value FROM json_each(?))"
        wanted = orjson.dumps(list(dict.fromkeys(terms))).decode()
        counts = await self._database.read(lambda connection: connection.execute(statement, [wanted]).fetchall())
        total = await self._database.read(lambda c: c.execute("SELECT memories FROM totals").fetchone()[0])
        return Frequencies(int(total), {row["term"]: row["doc"] for row in counts})


def _expression(terms: Sequence[str]) -> str:
    """Any of the terms, each quoted, so that none of them is read as FTS5 syntax."""
    return " OR ".join('"{}"'.format(term.replace('"', '""')) for term in dict.fromkeys(terms))
