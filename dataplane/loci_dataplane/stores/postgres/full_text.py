"""The FullText port on PostgreSQL: terms in a `tsvector` under a GIN index, scored by BM25.

PostgreSQL's own ranks know neither how rare a term is nor how long a memory is for its kind, so the score is computed
here, over all memories that the index finds. The number of occurrences of a term comes from `ts_rank`: for one term
with all weights 1 it is (1 + 1/4 + ... + 1/n²) / (π²/6), from which n is read off a table.

Cost: an index scan for each term, and about a microsecond for each found memory and term.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from loci_dataplane.model.filter import Filter
from loci_dataplane.model.memory import timestamp
from loci_dataplane.stores.ports import Frequencies, Hit
from loci_dataplane.stores.postgres.database import Database, Session
from loci_dataplane.stores.postgres.filter import Arguments, condition
from loci_dataplane.stores.postgres.records import LIVE
from loci_dataplane.stores.postgres.rows import lexeme

_K1: Final = 1.2
_B: Final = 0.75
_LEAST_WEIGHT: Final = 1e-6
"""Of a term that is in most memories; as in SQLite."""
_LEXEME_MAX: Final = 2046
"""Bytes; no stored term is longer."""
_COUNTED: Final = 60
_RANK_OF_ONE: Final = 1 / 1.64493406685
_STEPS: Final = [
    repr(_RANK_OF_ONE * (total - 0.5 / number**2))
    for number, total in enumerate(itertools.accumulate(1 / n**2 for n in range(1, _COUNTED + 1)), 1)
]
"""The rank from which a term counts as occurring so often, in the middle between this number and the one before."""

_FREQUENCIES: Final = """
SELECT wanted.term, (SELECT count(*) FROM {schema}.memory m WHERE m.terms @@ wanted.query::tsquery) AS memories
FROM unnest($1::text[], $2::text[]) AS wanted (term, query)
"""
_SEARCH: Final = """
WITH wanted AS MATERIALIZED (
  SELECT query::tsquery, weight FROM unnest($1::text[], $2::text[]::float8[]) AS w (query, weight)
), mean AS MATERIALIZED (
  SELECT greatest(words::float8 / greatest(memories, 1), 1) AS words FROM {schema}.totals
)
SELECT id, (
  SELECT sum(w.weight * n.times * ({k1} + 1) / (n.times + {k1} * (1 - {b} + {b} * m.words / (SELECT words FROM mean))))
  FROM wanted w, width_bucket(ts_rank('{{1,1,1,1}}', m.terms, w.query)::float8, $3::text[]::float8[]) AS n (times)
) AS score
FROM {schema}.memory m
WHERE m.terms @@ $4::text::tsquery AND {where}
ORDER BY score DESC, position DESC LIMIT {limit}
"""


class PostgresFullText:
    """The full-text index of one schema."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def search(self, terms: Sequence[str], where: Filter, limit: int, now: datetime) -> Sequence[Hit]:
        """Return memories with any of the terms; two statements in one transaction."""
        async with self._database.reading() as connection:
            known = await self._frequencies(connection, terms)
            if not known.by_term:
                return []
            queries = {lexeme(term): _weight(known.documents, count) for term, count in known.by_term.items()}
            arguments = Arguments(list(queries), [*map(repr, queries.values())], _STEPS, " | ".join(queries))
            statement = _SEARCH.format(
                schema=self._database.schema,
                k1=_K1,
                b=_B,
                where=f"{LIVE.format(arguments.add(timestamp(now)))} AND {condition(where, arguments)}",
                limit=arguments.add(limit, "bigint"),
            )
            rows = await connection.fetch(statement, *arguments.values)
        return [Hit(row["id"], row["score"]) for row in rows]

    async def frequencies(self, terms: Sequence[str]) -> Frequencies:
        """Return how many memories contain each term."""
        async with self._database.reading() as connection:
            return await self._frequencies(connection, terms)

    async def _frequencies(self, connection: Session, terms: Sequence[str]) -> Frequencies:
        wanted = [term for term in dict.fromkeys(terms) if _is_storable(term)]
        total = await connection.fetchval(f"SELECT memories FROM {self._database.schema}.totals")  # noqa: S608 - constant names
        statement = _FREQUENCIES.format(schema=self._database.schema)
        rows = await connection.fetch(statement, wanted, list(map(lexeme, wanted))) if wanted else []
        return Frequencies(int(total), {row["term"]: row["memories"] for row in rows if row["memories"]})


def _is_storable(term: str) -> bool:
    return bool(term) and "\x00" not in term and len(term.encode()) <= _LEXEME_MAX


def _weight(documents: int, count: int) -> float:
    return max(_LEAST_WEIGHT, math.log((documents - count + 0.5) / (count + 0.5)))
