"""Changes of the graph in Neo4j: what one memory contributes, added and removed within a transaction."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from neo4j import AsyncManagedTransaction

from loci_dataplane.model.graph import PRECEDENCE, Extraction, Fact
from loci_dataplane.model.memory import timestamp
from loci_dataplane.model.timeline import Assertion, timeline
from loci_dataplane.stores.graph_rows import assertion_of
from loci_dataplane.stores.neo4j.database import Row, rows

Slot = tuple[str, str, str]
"""A subject's scope and key, and the slot of its facts."""

_ROOM: Final = """
  UNWIND $keys AS key
  OPTIONAL MATCH (e:Entity {key: key, scope: $scope})
  WITH sum(CASE WHEN e IS NULL THEN 1 ELSE 0 END) AS missing
  RETURN missing, COUNT { (:Memory) } + COUNT { (:Entity) } AS nodes
"""
_NODES: Final = "RETURN COUNT { (:Memory) } + COUNT { (:Entity) } AS nodes"
_LEAVE_OUT: Final = "CREATE (:LeftOut {id: $id})"
_ADD_MEMORY: Final = "CREATE (:Memory {id: $id, session_id: $session_id, position: $position})"
_MENTION: Final = """
  MATCH (m:Memory {id: $id})
  UNWIND $entities AS given
  MERGE (e:Entity {key: given.key, scope: $scope})
    ON CREATE SET e.name = given.name, e.mentions = 0, e.rank = -1
  SET e.mentions = e.mentions + 1,
    e.kind = CASE WHEN given.rank > e.rank THEN given.kind ELSE e.kind END,
    e.rank = CASE WHEN given.rank > e.rank THEN given.rank ELSE e.rank END
  CREATE (m)-[:MENTIONS]->(e)
"""
_RELATE: Final = """
  UNWIND $facts AS fact
  MATCH (s:Entity {key: fact.subject, scope: $scope}), (o:Entity {key: fact.object, scope: $scope})
  CREATE (s)-[r:RELATED]->(o)
  SET r = fact.properties
"""
# The memory takes its place between the one before and the one after it in the session.
_LINK: Final = """
  MATCH (m:Memory {id: $id})
  OPTIONAL MATCH (p:Memory) WHERE p.session_id = $session_id AND p.position < $position
  WITH m, p ORDER BY p.position DESC LIMIT 1
  OPTIONAL MATCH (n:Memory) WHERE n.session_id = $session_id AND n.position > $position
  WITH m, p, n ORDER BY n.position LIMIT 1
  OPTIONAL MATCH (p)-[old:NEXT]->(n)
  DELETE old
  FOREACH (_ IN CASE WHEN p IS NULL THEN [] ELSE [1] END | CREATE (p)-[:NEXT]->(m))
  FOREACH (_ IN CASE WHEN n IS NULL THEN [] ELSE [1] END | CREATE (m)-[:NEXT]->(n))
"""
_UNLINK: Final = """
  MATCH (p:Memory)-[:NEXT]->(:Memory {id: $id})-[:NEXT]->(n:Memory)
  CREATE (p)-[:NEXT]->(n)
"""
_TOUCHED: Final = """
  MATCH (s:Entity)-[r:RELATED {memory_id: $id}]->()
  RETURN DISTINCT s.scope AS scope, s.key AS key, r.slot AS slot
"""
_REMOVE_FACTS: Final = "MATCH ()-[r:RELATED {memory_id: $id}]->() DELETE r"
_REMOVE_MENTIONS: Final = """
  MATCH (:Memory {id: $id})-[r:MENTIONS]->(e:Entity)
  SET e.mentions = e.mentions - 1
  DELETE r
  WITH e WHERE e.mentions = 0
  DETACH DELETE e
"""
_REMOVE_MEMORY: Final = "MATCH (m:Memory|LeftOut {id: $id}) DETACH DELETE m"
_STATEMENTS: Final = """
  MATCH (s:Entity {key: $key, scope: $scope})-[r:RELATED {slot: $slot}]->(o:Entity)
  MATCH (m:Memory {id: r.memory_id})
  RETURN elementId(r) AS id, properties(r) AS fact, o.key AS object_key, m.position AS position
"""
_DATE: Final = """
  UNWIND $changes AS change
  MATCH (:Entity {key: $key, scope: $scope})-[r:RELATED]->() WHERE elementId(r) = change.id
  SET r.valid_to = change.valid_to
"""


async def add(transaction: AsyncManagedTransaction, extraction: Extraction, max_nodes: int) -> None:
    """Add what a memory contributes, of which nothing is there; leave it out if it takes more nodes than are left."""
    memory: dict[str, Any] = {
        "id": extraction.memory_id,
        "session_id": extraction.session_id,
        "position": extraction.order,
    }
    if not await _fits(transaction, extraction, max_nodes):
        await rows(transaction, _LEAVE_OUT, id=extraction.memory_id)
        return
    await rows(transaction, _ADD_MEMORY, **memory)
    entities = [
        {"key": entity.key, "name": entity.name, "kind": entity.kind.value, "rank": PRECEDENCE[entity.kind]}
        for entity in extraction.mentions
    ]
    await rows(transaction, _MENTION, id=extraction.memory_id, scope=extraction.scope, entities=entities)
    facts = [_stored(extraction.memory_id, place, fact) for place, fact in enumerate(extraction.facts)]
    await rows(transaction, _RELATE, scope=extraction.scope, facts=facts)
    if extraction.session_id is not None:
        await rows(transaction, _LINK, **memory)
    await _date(transaction, {(extraction.scope, fact.subject.key, fact.slot) for fact in extraction.facts})


async def remove(transaction: AsyncManagedTransaction, memory_id: str) -> None:
    """Remove what a memory contributes, and entities that none mentions any more."""
    touched = await rows(transaction, _TOUCHED, id=memory_id)
    for statement in (_REMOVE_FACTS, _UNLINK, _REMOVE_MENTIONS, _REMOVE_MEMORY):
        await rows(transaction, statement, id=memory_id)
    await _date(transaction, {(row["scope"], row["key"], row["slot"]) for row in touched})


async def _fits(transaction: AsyncManagedTransaction, extraction: Extraction, max_nodes: int) -> bool:
    keys = [entity.key for entity in extraction.mentions]
    if keys:
        (row,) = await rows(transaction, _ROOM, keys=keys, scope=extraction.scope)
        return bool(row["nodes"] + 1 + row["missing"] <= max_nodes)
    (row,) = await rows(transaction, _NODES)
    return bool(row["nodes"] + 1 <= max_nodes)


def _stored(memory_id: str, place: int, fact: Fact) -> dict[str, Any]:
    """A RELATED edge; one that ends a whole slot has no object and leads to the subject itself."""
    properties = {
        "memory_id": memory_id,
        "place": place,
        "predicate": fact.predicate,
        "slot": fact.slot,
        "exclusive": fact.exclusive,
        "ends": fact.ends,
        "objectless": fact.object is None,
        "valid_from": timestamp(fact.valid_from),
        "ranked_at": timestamp(fact.ranked_at),
    }
    object_key = fact.object.key if fact.object else fact.subject.key
    return {"subject": fact.subject.key, "object": object_key, "properties": properties}


async def _date(transaction: AsyncManagedTransaction, slots: Iterable[Slot]) -> None:
    """Bring `valid_to` up to date in some slots."""
    for scope, key, slot in slots:
        found = await rows(transaction, _STATEMENTS, scope=scope, key=key, slot=slot)
        before = {row["id"]: row["fact"].get("valid_to") for row in found}
        dated = timeline([_assertion(row) for row in found])
        after = {a.id: timestamp(a.valid_to) if a.valid_to else None for a in dated}
        changes = [{"id": id_, "valid_to": valid_to} for id_, valid_to in after.items() if before[id_] != valid_to]
        if changes:
            await rows(transaction, _DATE, key=key, scope=scope, changes=changes)


def _assertion(row: Row) -> Assertion:
    fact = row["fact"]
    object_key = None if fact["objectless"] else row["object_key"]
    return assertion_of(fact, row["id"], object_key, row["position"])
