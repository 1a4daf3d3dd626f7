"""The Graph port on SQLite: reading. Changes are in `graph_changes`."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import orjson

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
from loci_dataplane.stores.sqlite.database import Database
from loci_dataplane.stores.sqlite.graph_changes import add, remove

_ORDER: Final = "ORDER BY mentions DESC, key, scope"
_HOLDS: Final = "valid_from <= :at AND (valid_to IS NULL OR valid_to > :at)"
_REFS: Final = """
  SELECT e.* FROM json_each(:refs) r
  JOIN graph_entities e ON e.key = r.value ->> 1 AND e.scope = r.value ->> 0
"""
_FACTS: Final = """
  SELECT s.scope, s.name AS subject, f.predicate, o.name AS object, f.valid_from, f.valid_to, f.memory_id
  FROM graph_facts f JOIN graph_entities s ON s.id = f.subject_id JOIN graph_entities o ON o.id = f.object_id
  JOIN graph_memories m ON m.id = f.memory_id
  WHERE NOT f.ends
    AND (:scope IS NULL OR s.scope = :scope) AND (:subject IS NULL OR s.key = :subject)
    AND (:predicate IS NULL OR f.predicate = :predicate) AND (:object IS NULL OR o.key = :object)
    AND (:at IS NULL OR (f.valid_from <= :at AND (f.valid_to IS NULL OR f.valid_to > :at)))
  ORDER BY s.key, s.scope, f.predicate, f.valid_from, f.ranked_at, m.position, f.place LIMIT :limit
"""
# A fact is an edge for both of its ends; with oneself it is none.
_EDGES: Final = f"""
  WITH given AS ({_REFS}),
  related AS (
    SELECT g.id AS source, f.object_id AS target, f.predicate, 0 AS inverse, f.memory_id
      FROM given g JOIN graph_facts f ON f.subject_id = g.id WHERE NOT f.ends AND {_HOLDS}
    UNION ALL
    SELECT g.id, f.subject_id, f.predicate, 1, f.memory_id
      FROM given g JOIN graph_facts f ON f.object_id = g.id WHERE NOT f.ends AND {_HOLDS}
    UNION ALL
    SELECT g.id, b.entity_id, '{MENTIONED_WITH}', 0, b.memory_id
      FROM given g JOIN graph_mentions a ON a.entity_id = g.id
      JOIN graph_mentions b ON b.memory_id = a.memory_id AND b.entity_id <> g.id
  )
  SELECT g.scope AS source_scope, g.key AS source_key, e.*, r.predicate, r.inverse, count(*) AS weight
  FROM related r JOIN given g ON g.id = r.source JOIN graph_entities e ON e.id = r.target
  GROUP BY r.source, r.target, r.predicate, r.inverse
  ORDER BY r.predicate = '{MENTIONED_WITH}', weight DESC, e.key, e.scope, r.predicate, r.inverse, g.key LIMIT :limit
"""  # noqa: S608 - constants
_MENTIONING: Final = """
  SELECT m.memory_id, sum(r.value ->> 2) AS score
  FROM json_each(:weights) r
  JOIN graph_entities e ON e.key = r.value ->> 1 AND e.scope = r.value ->> 0
  JOIN graph_mentions m ON m.entity_id = e.id
  JOIN graph_memories g ON g.id = m.memory_id
  WHERE :among IS NULL OR m.memory_id IN (SELECT value FROM json_each(:among))
  GROUP BY m.memory_id ORDER BY score DESC, g.position DESC LIMIT :limit
"""
_NEXT_TO: Final = """
  SELECT m.id,
    (SELECT p.id FROM graph_memories p WHERE p.session_id = m.session_id AND p.left_out = 0
     AND p.position < m.position ORDER BY p.position DESC LIMIT 1),
    (SELECT n.id FROM graph_memories n WHERE n.session_id = m.session_id AND n.left_out = 0
     AND n.position > m.position ORDER BY n.position LIMIT 1)
  FROM graph_memories m WHERE m.left_out = 0 AND m.id IN (SELECT value FROM json_each(:ids))
"""
_SIZE: Final = """
  SELECT (SELECT nodes FROM graph_totals), count(*), coalesce(sum(left_out), 0) FROM graph_memories
"""


class SqliteGraph:
    """The graph of one file."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def update(self, extractions: Sequence[Extraction], deleted: Sequence[str], max_nodes: int) -> None:
        """Replace and remove contributions, in one transaction."""

        def work(connection: sqlite3.Connection) -> None:
            for memory_id in deleted:
                remove(connection, memory_id)
            for extraction in extractions:
                remove(connection, extraction.memory_id)
                add(connection, extraction, max_nodes)

        async with self._database.transaction() as run:
            await run(work)

    async def entities(self, where: EntityFilter, limit: int) -> Sequence[KnownEntity]:
        """Return entities, the most mentioned first."""
        query = f"""
          SELECT * FROM graph_entities WHERE (:scope IS NULL OR scope = :scope)
          AND (:text IS NULL OR instr(key, :text)) AND (:kind IS NULL OR kind = :kind) {_ORDER} LIMIT :limit
        """  # noqa: S608 - constant
        given = {**entity_parameters(where), "limit": limit}
        return [entity_of(row) for row in await self._rows(query, given)]

    async def named(self, keys: Sequence[str], scope: str | None) -> Sequence[KnownEntity]:
        """Return the entities with these keys."""
        query = f"""
          SELECT * FROM graph_entities WHERE key IN (SELECT value FROM json_each(:keys))
          AND (:scope IS NULL OR scope = :scope) {_ORDER}
        """  # noqa: S608 - constant
        given = {"keys": _json(list(keys)), "scope": scope}
        return [entity_of(row) for row in await self._rows(query, given)]

    async def facts(self, where: FactFilter, limit: int) -> Sequence[HeldFact]:
        """Return facts by subject, predicate and time."""
        given = {**fact_parameters(where), "limit": limit}
        return [fact_of(row) for row in await self._rows(_FACTS, given)]

    async def edges(self, entities: Sequence[EntityRef], at: datetime, limit: int) -> Sequence[Edge]:
        """Return the relations of some entities."""
        refs = _json([[ref.scope, ref.key] for ref in entities])
        rows = await self._rows(_EDGES, {"refs": refs, "at": timestamp(at), "limit": limit})
        return [edge_of(row) for row in rows]

    async def mentioning(
        self, weights: Mapping[EntityRef, float], limit: int, among: Sequence[str] | None = None
    ) -> Sequence[Hit]:
        """Return memories that mention any of the entities."""
        given = _json([[ref.scope, ref.key, weight] for ref, weight in weights.items()])
        rows = await self._rows(
            _MENTIONING, {"weights": given, "limit": limit, "among": None if among is None else _json(list(among))}
        )
        return [Hit(row["memory_id"], row["score"]) for row in rows]

    async def adjacent(self, ids: Sequence[str]) -> dict[str, tuple[str, ...]]:
        """Return the memories directly before and after each."""
        rows = await self._rows(_NEXT_TO, {"ids": _json(list(ids))})
        return {row[0]: tuple(other for other in row[1:] if other is not None) for row in rows}

    async def size(self) -> GraphSize:
        """Return how large the graph is."""
        (row,) = await self._rows(_SIZE, {})
        return GraphSize(*row)

    async def held(self, ids: Sequence[str]) -> Sequence[str]:
        """Return those that are in the graph or were left out of it."""
        query = "SELECT id FROM graph_memories WHERE id IN (SELECT value FROM json_each(:ids))"
        return [row["id"] for row in await self._rows(query, {"ids": _json(list(ids))})]

    async def listed(self, after: str, limit: int) -> tuple[Sequence[str], str]:
        """Return memories by id; the cursor is the last one."""
        query = "SELECT id FROM graph_memories WHERE id > :after ORDER BY id LIMIT :limit"
        ids = [row["id"] for row in await self._rows(query, {"after": after, "limit": limit})]
        return ids, ids[-1] if len(ids) == limit else ""

    async def check(self) -> None:
        """Read a row."""
        await self._rows("SELECT nodes FROM graph_totals", {})

    async def _rows(self, query: str, parameters: Mapping[str, Any]) -> list[sqlite3.Row]:
        return await self._database.read(lambda connection: connection.execute(query, parameters).fetchall())


def _json(value: object) -> str:
    return orjson.dumps(value).decode()
