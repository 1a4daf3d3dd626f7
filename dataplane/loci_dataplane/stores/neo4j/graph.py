"""The Graph port on Neo4j: reading, and the transaction around changes."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from typing import Final

from neo4j import AsyncManagedTransaction

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
from loci_dataplane.stores.neo4j.changes import add, remove
from loci_dataplane.stores.neo4j.database import DEFAULT_LIMITS, Database, Limits, neo4j_database
from loci_dataplane.stores.ports import Hit

_ENTITY: Final = "e.scope AS scope, e.key AS key, e.name AS name, e.kind AS kind, e.mentions AS mentions"
_ORDER: Final = "ORDER BY mentions DESC, key, scope"
_ENTITIES: Final = f"""
  MATCH (e:Entity)
  WHERE ($scope IS NULL OR e.scope = $scope) AND ($text IS NULL OR e.key CONTAINS $text)
    AND ($kind IS NULL OR e.kind = $kind)
  RETURN {_ENTITY} {_ORDER} LIMIT $limit
"""
_NAMED: Final = f"""
  UNWIND $keys AS key
  MATCH (e:Entity {{key: key}}) WHERE $scope IS NULL OR e.scope = $scope
  RETURN DISTINCT {_ENTITY} {_ORDER}
"""
_FACTS: Final = """
  MATCH (s:Entity)-[f:RELATED]->(o:Entity)
  WHERE NOT f.ends
    AND ($scope IS NULL OR s.scope = $scope) AND ($subject IS NULL OR s.key = $subject)
    AND ($predicate IS NULL OR f.predicate = $predicate) AND ($object IS NULL OR o.key = $object)
    AND ($at IS NULL OR (f.valid_from <= $at AND (f.valid_to IS NULL OR f.valid_to > $at)))
  MATCH (m:Memory {id: f.memory_id})
  RETURN s.scope AS scope, s.name AS subject, f.predicate AS predicate, o.name AS object,
    f.valid_from AS valid_from, f.valid_to AS valid_to, f.memory_id AS memory_id
  ORDER BY s.key, s.scope, f.predicate, f.valid_from, f.ranked_at, m.position, f.place LIMIT $limit
"""
_EDGES: Final = f"""
  UNWIND $refs AS ref
  MATCH (g:Entity {{key: ref[1], scope: ref[0]}})
  CALL {{
    WITH g
    MATCH (g)-[f:RELATED]->(e:Entity)
    WHERE NOT f.ends AND f.valid_from <= $at AND (f.valid_to IS NULL OR f.valid_to > $at)
    RETURN e, f.predicate AS predicate, false AS inverse, count(*) AS weight
    UNION
    WITH g
    MATCH (g)<-[f:RELATED]-(e:Entity)
    WHERE NOT f.ends AND f.valid_from <= $at AND (f.valid_to IS NULL OR f.valid_to > $at)
    RETURN e, f.predicate AS predicate, true AS inverse, count(*) AS weight
    UNION
    WITH g
    MATCH (g)<-[:MENTIONS]-(:Memory)-[:MENTIONS]->(e:Entity)
    WHERE e <> g
    RETURN e, '{MENTIONED_WITH}' AS predicate, false AS inverse, count(*) AS weight
  }}
  RETURN g.scope AS source_scope, g.key AS source_key, {_ENTITY}, predicate, inverse, weight
  ORDER BY predicate = '{MENTIONED_WITH}', weight DESC, key, scope, predicate, inverse, source_key LIMIT $limit
"""
_MENTIONING: Final = """
  UNWIND $weights AS given
  MATCH (m:Memory)-[:MENTIONS]->(:Entity {key: given[1], scope: given[0]}) WHERE $among IS NULL OR m.id IN $among
  RETURN m.id AS id, sum(given[2]) AS score, m.position AS position
  ORDER BY score DESC, position DESC LIMIT $limit
"""
_ADJACENT: Final = """
  MATCH (m:Memory) WHERE m.id IN $ids
  OPTIONAL MATCH (p:Memory)-[:NEXT]->(m)
  OPTIONAL MATCH (m)-[:NEXT]->(n:Memory)
  RETURN m.id AS id, p.id AS before, n.id AS after
"""
_HELD: Final = "MATCH (m:Memory|LeftOut) WHERE m.id IN $ids RETURN m.id AS id"
_LISTED: Final = "MATCH (m:Memory|LeftOut) WHERE m.id > $after RETURN m.id AS id ORDER BY id LIMIT $limit"
_SIZE: Final = """
  RETURN COUNT { (:Memory) } AS memories, COUNT { (:Entity) } AS entities, COUNT { (:LeftOut) } AS left_out
"""


class Neo4jGraph:
    """The graph of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def update(self, extractions: Sequence[Extraction], deleted: Sequence[str], max_nodes: int) -> None:
        """Replace and remove contributions, in one transaction."""

        async def work(transaction: AsyncManagedTransaction) -> None:
            for memory_id in deleted:
                await remove(transaction, memory_id)
            for extraction in extractions:
                await remove(transaction, extraction.memory_id)
                await add(transaction, extraction, max_nodes)

        await self._database.write(work)

    async def entities(self, where: EntityFilter, limit: int) -> Sequence[KnownEntity]:
        """Return entities, the most mentioned first."""
        found = await self._database.read(_ENTITIES, **entity_parameters(where), limit=limit)
        return [entity_of(row) for row in found]

    async def named(self, keys: Sequence[str], scope: str | None) -> Sequence[KnownEntity]:
        """Return the entities with these keys."""
        return [entity_of(row) for row in await self._database.read(_NAMED, keys=list(keys), scope=scope)]

    async def facts(self, where: FactFilter, limit: int) -> Sequence[HeldFact]:
        """Return facts by subject, predicate and time."""
        found = await self._database.read(_FACTS, **fact_parameters(where), limit=limit)
        return [fact_of(row) for row in found]

    async def edges(self, entities: Sequence[EntityRef], at: datetime, limit: int) -> Sequence[Edge]:
        """Return the relations of some entities."""
        refs = [[ref.scope, ref.key] for ref in entities]
        found = await self._database.read(_EDGES, refs=refs, at=timestamp(at), limit=limit)
        return [edge_of(row) for row in found]

    async def mentioning(
        self, weights: Mapping[EntityRef, float], limit: int, among: Sequence[str] | None = None
    ) -> Sequence[Hit]:
        """Return memories that mention any of the entities."""
        given = [[ref.scope, ref.key, weight] for ref, weight in weights.items()]
        found = await self._database.read(
            _MENTIONING, weights=given, limit=limit, among=among if among is None else list(among)
        )
        return [Hit(row["id"], row["score"]) for row in found]

    async def adjacent(self, ids: Sequence[str]) -> dict[str, tuple[str, ...]]:
        """Return the memories directly before and after each."""
        found = await self._database.read(_ADJACENT, ids=list(ids))
        return {row["id"]: tuple(o for o in (row["before"], row["after"]) if o is not None) for row in found}

    async def size(self) -> GraphSize:
        """Return how large the graph is."""
        (row,) = await self._database.read(_SIZE)
        memories, left_out = row["memories"], row["left_out"]
        return GraphSize(memories + row["entities"], memories + left_out, left_out)

    async def held(self, ids: Sequence[str]) -> Sequence[str]:
        """Return those that are in the graph or were left out of it."""
        return [row["id"] for row in await self._database.read(_HELD, ids=list(ids))]

    async def listed(self, after: str, limit: int) -> tuple[Sequence[str], str]:
        """Return memories by id; the cursor is the last one."""
        ids = [row["id"] for row in await self._database.read(_LISTED, after=after, limit=limit)]
        return ids, ids[-1] if len(ids) == limit else ""

    async def check(self) -> None:
        """Reach the server."""
        await self._database.probe()


@contextlib.asynccontextmanager
async def neo4j_graph(
    url: str, auth: tuple[str, str], name: str = "neo4j", limits: Limits = DEFAULT_LIMITS
) -> AsyncIterator[Neo4jGraph]:
    """The graph in a database of a Neo4j server, for the length of the block."""
    async with neo4j_database(url, auth, name, limits) as database:
        yield Neo4jGraph(database)
