"""Changes of the graph in SQLite: what one memory contributes, added and removed within an open transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from typing import Any, Final

import orjson

from loci_dataplane.model.graph import PRECEDENCE, Entity, Extraction, Fact, Kind
from loci_dataplane.model.memory import timestamp
from loci_dataplane.model.timeline import timeline
from loci_dataplane.stores.graph_rows import assertion_of

Slot = tuple[int, str]
"""A subject's id and the slot of its facts."""

_STATEMENTS: Final = """
  SELECT f.*, o.key AS object_key, m.position
  FROM graph_facts f JOIN graph_memories m ON m.id = f.memory_id LEFT JOIN graph_entities o ON o.id = f.object_id
  WHERE f.subject_id = ? AND f.slot = ?
"""
_ADD_FACT: Final = """
  INSERT INTO graph_facts
    (memory_id, place, subject_id, predicate, object_id, slot, exclusive, ends, valid_from, ranked_at)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_AMONG: Final = "id IN (SELECT value FROM json_each(?))"


def add(connection: sqlite3.Connection, extraction: Extraction, max_nodes: int) -> None:
    """Add what a memory contributes, of which nothing is there; leave it out if it takes more nodes than are left."""
    known = _known(connection, extraction)
    new = [entity for entity in extraction.mentions if entity.key not in known]
    nodes = int(connection.execute("SELECT nodes FROM graph_totals").fetchone()[0])
    left_out = nodes + 1 + len(new) > max_nodes
    memory = [extraction.memory_id, extraction.session_id, extraction.order, left_out]
    connection.execute("INSERT INTO graph_memories (id, session_id, position, left_out) VALUES (?, ?, ?, ?)", memory)
    if left_out:
        return
    ids = {
        entity.key: _mention(connection, extraction, entity, known.get(entity.key)) for entity in extraction.mentions
    }
    for place, fact in enumerate(extraction.facts):
        connection.execute(_ADD_FACT, _values(extraction.memory_id, place, fact, ids))
    _date(connection, {(ids[fact.subject.key], fact.slot) for fact in extraction.facts})


def remove(connection: sqlite3.Connection, memory_id: str) -> None:
    """Remove what a memory contributes, and entities that none mentions any more."""
    slots = connection.execute("SELECT DISTINCT subject_id, slot FROM graph_facts WHERE memory_id = ?", [memory_id])
    touched: set[Slot] = {(row["subject_id"], row["slot"]) for row in slots}
    mentions = connection.execute("SELECT entity_id FROM graph_mentions WHERE memory_id = ?", [memory_id])
    entities = orjson.dumps([row["entity_id"] for row in mentions]).decode()
    for table in ("graph_facts", "graph_mentions"):
        connection.execute(f"DELETE FROM {table} WHERE memory_id = ?", [memory_id])  # noqa: S608 - constant names
    connection.execute("DELETE FROM graph_memories WHERE id = ?", [memory_id])
    connection.execute(f"UPDATE graph_entities SET mentions = mentions - 1 WHERE {_AMONG}", [entities])  # noqa: S608 - constant
    connection.execute(f"DELETE FROM graph_entities WHERE mentions = 0 AND {_AMONG}", [entities])  # noqa: S608 - constant
    _date(connection, touched)


def _known(connection: sqlite3.Connection, extraction: Extraction) -> dict[str, sqlite3.Row]:
    keys = orjson.dumps([entity.key for entity in extraction.mentions]).decode()
    query = "SELECT * FROM graph_entities WHERE scope = ? AND key IN (SELECT value FROM json_each(?))"
    return {row["key"]: row for row in connection.execute(query, [extraction.scope, keys])}


def _mention(connection: sqlite3.Connection, extraction: Extraction, entity: Entity, known: sqlite3.Row | None) -> int:
    """Record that the memory mentions an entity; return the entity's id."""
    if known is None:
        statement = "INSERT INTO graph_entities (scope, key, name, kind, mentions) VALUES (?, ?, ?, ?, 1)"
        values = [extraction.scope, entity.key, entity.name, entity.kind]
        entity_id = connection.execute(statement, values).lastrowid
        assert entity_id is not None
    else:
        entity_id = int(known["id"])
        kind = max(entity.kind, Kind(known["kind"]), key=PRECEDENCE.__getitem__)
        statement = "UPDATE graph_entities SET mentions = mentions + 1, kind = ? WHERE id = ?"
        connection.execute(statement, [kind, entity_id])
    connection.execute("INSERT INTO graph_mentions VALUES (?, ?)", [extraction.memory_id, entity_id])
    return entity_id


def _values(memory_id: str, place: int, fact: Fact, ids: dict[str, int]) -> list[Any]:
    return [
        memory_id,
        place,
        ids[fact.subject.key],
        fact.predicate,
        ids[fact.object.key] if fact.object else None,
        fact.slot,
        fact.exclusive,
        fact.ends,
        timestamp(fact.valid_from),
        timestamp(fact.ranked_at),
    ]


def _date(connection: sqlite3.Connection, slots: Iterable[Slot]) -> None:
    """Bring `valid_to` up to date in some slots."""
    for slot in slots:
        rows = connection.execute(_STATEMENTS, slot).fetchall()
        before = {row["id"]: row["valid_to"] for row in rows}
        for assertion in timeline([assertion_of(row, row["id"], row["object_key"], row["position"]) for row in rows]):
            valid_to = timestamp(assertion.valid_to) if assertion.valid_to else None
            if before[assertion.id] != valid_to:
                connection.execute("UPDATE graph_facts SET valid_to = ? WHERE id = ?", [valid_to, assertion.id])
