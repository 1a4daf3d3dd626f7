"""The Graph port on PostgreSQL: reading. Changes are in `graph_changes`."""

# ruff: noqa: S608 - names are constants, values are parameters
from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

import asyncpg

from loci_dataplane.model.graph import (
    MENTIONED_WITH,
    Edge,
    EntityFilter,
    EntityRef,
    Extraction,
    FactFilter,
    GraphSize,
    HeldFact,
    KnownEntity,
)
from loci_dataplane.model.memory import timestamp
from loci_dataplane.stores.graph_rows import edge_of, entity_of, entity_parameters, fact_of, fact_parameters
from loci_dataplane.stores.ports import Hit
from loci_dataplane.stores.postgres.database import GRAPH, Database
from loci_dataplane.stores.postgres.graph_changes import GraphChanges

_ORDER: Final = "ORDER BY mentions DESC, key, scope"
_HOLDS: Final = "valid_from <= $3::text AND (valid_to IS NULL OR valid_to > $3::text)"
_ENTITIES: Final = f"""
SELECT * FROM {{schema}}.entity
WHERE ($1::text IS NULL OR scope = $1::text) AND ($2::text IS NULL OR strpos(key, $2::text) > 0)
  AND ($3::text IS NULL OR kind = $3::text)
{_ORDER} LIMIT $4::bigint
"""
_NAMED: Final = f"""
SELECT * FROM {{schema}}.entity WHERE key = ANY($1::text[]) AND ($2::text IS NULL OR scope = $2::text) {_ORDER}
"""
_FACTS: Final = """
SELECT s.scope, s.name AS subject, f.predicate, o.name AS object, f.valid_from, f.valid_to, f.memory_id
FROM {schema}.fact f JOIN {schema}.entity s ON s.id = f.subject_id JOIN {schema}.entity o ON o.id = f.object_id
JOIN {schema}.graph_memory m ON m.id = f.memory_id
WHERE NOT f.ends
  AND ($1::text IS NULL OR s.scope = $1::text) AND ($2::text IS NULL OR s.key = $2::text)
  AND ($3::text IS NULL OR f.predicate = $3::text) AND ($4::text IS NULL OR o.key = $4::text)
  AND ($5::text IS NULL OR (f.valid_from <= $5::text AND (f.valid_to IS NULL OR f.valid_to > $5::text)))
ORDER BY s.key, s.scope, f.predicate, f.valid_from, f.ranked_at, m.position, f.place LIMIT $6::bigint
"""
# A fact is an edge for both of its ends; with oneself it is none.
_EDGES: Final = f"""
WITH given AS (
  SELECT e.* FROM unnest($1::text[], $2::text[]) AS r (scope, key)
  JOIN {{schema}}.entity e ON e.key = r.key AND e.scope = r.scope
), related AS (
  SELECT g.id AS source, f.object_id AS target, f.predicate, false AS inverse
    FROM given g JOIN {{schema}}.fact f ON f.subject_id = g.id WHERE NOT f.ends AND {_HOLDS}
  UNION ALL
  SELECT g.id, f.subject_id, f.predicate, true
    FROM given g JOIN {{schema}}.fact f ON f.object_id = g.id WHERE NOT f.ends AND {_HOLDS}
  UNION ALL
  SELECT g.id, b.entity_id, '{MENTIONED_WITH}', false
    FROM given g JOIN {{schema}}.mention a ON a.entity_id = g.id
    JOIN {{schema}}.mention b ON b.memory_id = a.memory_id AND b.entity_id <> g.id
), weighted AS (
  SELECT source, target, predicate, inverse, count(*) AS weight FROM related GROUP BY 1, 2, 3, 4
)
SELECT g.scope AS source_scope, g.key AS source_key, e.*, r.predicate, r.inverse, r.weight
FROM weighted r JOIN given g ON g.id = r.source JOIN {{schema}}.entity e ON e.id = r.target
ORDER BY r.predicate = '{MENTIONED_WITH}', weight DESC, e.key, e.scope, r.predicate, r.inverse, g.key LIMIT $4::bigint
"""
_MENTIONING: Final = """
SELECT m.memory_id, sum(r.weight) AS score
FROM unnest($1::text[], $2::text[], $3::text[]::float8[]) AS r (scope, key, weight)
JOIN {schema}.entity e ON e.key = r.key AND e.scope = r.scope
JOIN {schema}.mention m ON m.entity_id = e.id
JOIN {schema}.graph_memory g ON g.id = m.memory_id
WHERE $4::text[] IS NULL OR m.memory_id = ANY($4::text[])
GROUP BY m.memory_id, g.position ORDER BY score DESC, g.position DESC LIMIT $5::bigint
"""
_NEXT_TO: Final = """
SELECT m.id,
  (SELECT p.id FROM {schema}.graph_memory p WHERE p.session_id = m.session_id AND NOT p.left_out
   AND p.position < m.position ORDER BY p.position DESC LIMIT 1) AS before,
  (SELECT n.id FROM {schema}.graph_memory n WHERE n.session_id = m.session_id AND NOT n.left_out
   AND n.position > m.position ORDER BY n.position LIMIT 1) AS after
FROM {schema}.graph_memory m WHERE NOT m.left_out AND m.id = ANY($1::text[])
"""
_SIZE: Final = "SELECT nodes, memories, left_out FROM {schema}.graph_totals"


class PostgresGraph:
    """The graph of one schema."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def update(self, extractions: Sequence[Extraction], deleted: Sequence[str], max_nodes: int) -> None:
        """Replace and remove contributions, in one transaction."""
        async with self._database.transaction(GRAPH) as session:
            changes = GraphChanges(session, self._database.schema)
            for memory_id in deleted:
                await changes.remove(memory_id)
            for extraction in extractions:
                await changes.remove(extraction.memory_id)
                await changes.add(extraction, max_nodes)
            await changes.date()

    async def entities(self, where: EntityFilter, limit: int) -> Sequence[KnownEntity]:
        """Return entities, the most mentioned first."""
        given = entity_parameters(where)
        return [entity_of(row) for row in await self._rows(_ENTITIES, *given.values(), limit)]

    async def named(self, keys: Sequence[str], scope: str | None) -> Sequence[KnownEntity]:
        """Return the entities with these keys."""
        return [entity_of(row) for row in await self._rows(_NAMED, list(keys), scope)]

    async def facts(self, where: FactFilter, limit: int) -> Sequence[HeldFact]:
        """Return facts by subject, predicate and time."""
        given = fact_parameters(where)
        return [fact_of(row) for row in await self._rows(_FACTS, *given.values(), limit)]

    async def edges(self, entities: Sequence[EntityRef], at: datetime, limit: int) -> Sequence[Edge]:
        """Return the relations of some entities."""
        scopes, keys = [ref.scope for ref in entities], [ref.key for ref in entities]
        return [edge_of(row) for row in await self._rows(_EDGES, scopes, keys, timestamp(at), limit)]

    async def mentioning(
        self, weights: Mapping[EntityRef, float], limit: int, among: Sequence[str] | None = None
    ) -> Sequence[Hit]:
        """Return memories that mention any of the entities."""
        scopes, keys = [ref.scope for ref in weights], [ref.key for ref in weights]
        numbers = [repr(float(weight)) for weight in weights.values()]
        only = None if among is None else list(among)
        rows = await self._rows(_MENTIONING, scopes, keys, numbers, only, limit)
        return [Hit(row["memory_id"], row["score"]) for row in rows]

    async def adjacent(self, ids: Sequence[str]) -> dict[str, tuple[str, ...]]:
        """Return the memories directly before and after each."""
        rows = await self._rows(_NEXT_TO, list(ids))
        return {row["id"]: tuple(n for n in (row["before"], row["after"]) if n is not None) for row in rows}

    async def size(self) -> GraphSize:
        """Return how large the graph is, from counters."""
        (row,) = await self._rows(_SIZE)
        return GraphSize(row["nodes"], row["memories"], row["left_out"])

    async def held(self, ids: Sequence[str]) -> Sequence[str]:
        """Return those that are in the graph or were left out of it."""
        query = "SELECT id FROM {schema}.graph_memory WHERE id = ANY($1::text[])"
        return [row["id"] for row in await self._rows(query, list(ids))]

    async def listed(self, after: str, limit: int) -> tuple[Sequence[str], str]:
        """Return memories by id; the cursor is the last one."""
        query = "SELECT id FROM {schema}.graph_memory WHERE id > $1::text ORDER BY id LIMIT $2::bigint"
        ids = [row["id"] for row in await self._rows(query, after, limit)]
        return ids, ids[-1] if len(ids) == limit else ""

    async def check(self) -> None:
        """Read a row."""
        await self.size()

    async def _rows(self, query: str, *arguments: object) -> list[asyncpg.Record]:
        return await self._database.read(query.format(schema=self._database.schema), *arguments)
