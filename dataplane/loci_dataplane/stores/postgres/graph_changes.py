"""Changes of the graph in PostgreSQL: what memories contribute, added and removed within an open transaction.

A memory costs one statement to remove and up to three to add. Facts are dated once, at the end of the transaction, over
all subjects and slots that it touched.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Final

import asyncpg

from loci_dataplane.model.graph import PRECEDENCE, Entity, Extraction, Fact, Kind
from loci_dataplane.model.memory import timestamp
from loci_dataplane.model.timeline import Assertion, timeline
from loci_dataplane.stores.graph_rows import assertion_of
from loci_dataplane.stores.postgres.database import Session

Slot = tuple[int, str]
"""A subject's id and the slot of its facts."""
_Strings = list[str | None]

_REMOVE: Final = """
WITH facts AS (
  DELETE FROM {schema}.fact WHERE memory_id = $1::text RETURNING subject_id, slot
), gone AS (
  DELETE FROM {schema}.mention WHERE memory_id = $1::text RETURNING entity_id
), fewer AS (
  UPDATE {schema}.entity SET mentions = mentions - 1 FROM gone WHERE id = entity_id AND mentions > 1
), dropped AS (
  DELETE FROM {schema}.entity USING gone WHERE id = entity_id AND mentions = 1 RETURNING id
), memory AS (
  DELETE FROM {schema}.graph_memory WHERE id = $1::text RETURNING left_out
), counted AS (
  UPDATE {schema}.graph_totals SET memories = memories - 1, left_out = graph_totals.left_out - memory.left_out::integer,
    nodes = nodes - (NOT memory.left_out)::integer - (SELECT count(*) FROM dropped)
  FROM memory
)
SELECT DISTINCT subject_id, slot FROM facts
"""
_KNOWN: Final = """
SELECT nodes, key, kind FROM {schema}.graph_totals
LEFT JOIN {schema}.entity ON scope = $1::text AND key = ANY($2::text[])
"""
_LEAVE_OUT: Final = """
WITH memory AS (
  INSERT INTO {schema}.graph_memory (id, session_id, position, left_out) VALUES ($1::text, $2::text, $3::bigint, true)
)
UPDATE {schema}.graph_totals SET memories = memories + 1, left_out = left_out + 1
"""
_ADD: Final = """
WITH memory AS (
  INSERT INTO {schema}.graph_memory (id, session_id, position, left_out) VALUES ($1::text, $2::text, $3::bigint, false)
), mentioned AS (
  INSERT INTO {schema}.entity AS e (scope, key, name, kind, mentions)
  SELECT $4::text, key, name, kind, 1 FROM unnest($5::text[], $6::text[], $7::text[]) AS given (key, name, kind)
  ON CONFLICT (key, scope) DO UPDATE SET mentions = e.mentions + 1, kind = excluded.kind RETURNING id, key
), linked AS (
  INSERT INTO {schema}.mention (memory_id, entity_id) SELECT $1::text, id FROM mentioned
), counted AS (
  UPDATE {schema}.graph_totals SET memories = memories + 1, nodes = nodes + 1 + $8::bigint
)
SELECT id, key FROM mentioned
"""
_ADD_FACTS: Final = """
INSERT INTO {schema}.fact
  (memory_id, place, subject_id, predicate, object_id, slot, exclusive, ends, valid_from, ranked_at)
SELECT $1::text, place - 1, subject_id, predicate, object_id, slot, exclusive, ends, valid_from, ranked_at
FROM unnest(
  $2::text[]::bigint[], $3::text[], $4::text[]::bigint[], $5::text[], $6::text[]::boolean[], $7::text[]::boolean[],
  $8::text[], $9::text[]
) WITH ORDINALITY AS f (subject_id, predicate, object_id, slot, exclusive, ends, valid_from, ranked_at, place)
"""
_STATEMENTS: Final = """
SELECT f.*, o.key AS object_key, m.position
FROM unnest($1::text[]::bigint[], $2::text[]) AS touched (subject_id, slot)
JOIN {schema}.fact f ON f.subject_id = touched.subject_id AND f.slot = touched.slot
JOIN {schema}.graph_memory m ON m.id = f.memory_id LEFT JOIN {schema}.entity o ON o.id = f.object_id
"""
_DATE: Final = """
UPDATE {schema}.fact f SET valid_to = dated.valid_to
FROM unnest($1::text[], $2::text[]::integer[], $3::text[]) AS dated (memory_id, place, valid_to)
WHERE f.memory_id = dated.memory_id AND f.place = dated.place
"""


class GraphChanges:
    """Changes in one transaction, which holds the lock of the graph's totals; `date` them before it ends."""

    def __init__(self, session: Session, schema: str) -> None:
        self._session = session
        self._schema = schema
        self._touched: set[Slot] = set()

    async def remove(self, memory_id: str) -> None:
        """Remove what a memory contributes, and entities that none mentions any more."""
        rows = await self._session.fetch(self._sql(_REMOVE), memory_id)
        self._touched |= {(row["subject_id"], row["slot"]) for row in rows}

    async def add(self, extraction: Extraction, max_nodes: int) -> None:
        """Add what a memory contributes, of which nothing is there; leave it out if there is no room."""
        entities = extraction.mentions
        keys: _Strings = [entity.key for entity in entities]
        rows = await self._session.fetch(self._sql(_KNOWN), extraction.scope, keys)
        known = {row["key"]: Kind(row["kind"]) for row in rows if row["key"] is not None}
        new = len(entities) - len(known)
        memory = (extraction.memory_id, extraction.session_id, extraction.order)
        if rows[0]["nodes"] + 1 + new > max_nodes:
            await self._session.execute(self._sql(_LEAVE_OUT), *memory)
            return
        kinds = [_kind(entity, known.get(entity.key)) for entity in entities]
        described = (extraction.scope, keys, [entity.name for entity in entities], kinds)
        added = await self._session.fetch(self._sql(_ADD), *memory, *described, new)
        if extraction.facts:
            await self._add_facts(extraction, {row["key"]: row["id"] for row in added})

    async def date(self) -> None:
        """Bring `valid_to` up to date in all slots that were touched."""
        if not self._touched:
            return
        touched = sorted(self._touched)
        subjects, slots = [str(subject) for subject, _ in touched], [slot for _, slot in touched]
        rows = await self._session.fetch(self._sql(_STATEMENTS), subjects, slots)
        changes = _changes(rows)
        if changes:
            ids, places, ends = zip(*changes, strict=True)
            await self._session.execute(self._sql(_DATE), list(ids), list(places), list(ends))

    async def _add_facts(self, extraction: Extraction, ids: dict[str, int]) -> None:
        columns = zip(*(_values(fact, ids) for fact in extraction.facts), strict=True)
        await self._session.execute(self._sql(_ADD_FACTS), extraction.memory_id, *map(list, columns))
        self._touched |= {(ids[fact.subject.key], fact.slot) for fact in extraction.facts}

    def _sql(self, statement: str) -> str:
        return statement.format(schema=self._schema)


def _kind(entity: Entity, known: Kind | None) -> str:
    return max(entity.kind, known or entity.kind, key=PRECEDENCE.__getitem__).value


def _values(fact: Fact, ids: dict[str, int]) -> tuple[str | None, ...]:
    """Columns of a fact as text, since other arrays would make the driver ask the catalog."""
    return (
        str(ids[fact.subject.key]),
        fact.predicate,
        str(ids[fact.object.key]) if fact.object else None,
        fact.slot,
        str(fact.exclusive),
        str(fact.ends),
        timestamp(fact.valid_from),
        timestamp(fact.ranked_at),
    )


def _changes(rows: Sequence[asyncpg.Record]) -> list[tuple[str, str, str | None]]:
    """Memory, place and `valid_to` of the facts whose end differs from the timeline of their subject and slot."""
    slots: defaultdict[Slot, list[Assertion]] = defaultdict(list)
    for number, row in enumerate(rows):
        slots[row["subject_id"], row["slot"]].append(assertion_of(row, number, row["object_key"], row["position"]))
    dated = (assertion for statements in slots.values() for assertion in timeline(statements))
    ends = {int(a.id): timestamp(a.valid_to) if a.valid_to else None for a in dated}
    return [
        (row["memory_id"], str(row["place"]), ends[number])
        for number, row in enumerate(rows)
        if row["valid_to"] != ends[number]
    ]
