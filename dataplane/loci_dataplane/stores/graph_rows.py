"""Reading entities, facts and edges from rows: every graph store names its columns alike and keeps times as text."""

from __future__ import annotations

from datetime import datetime

from loci_dataplane.model.graph import (
    Edge,
    EntityFilter,
    EntityRef,
    FactFilter,
    HeldFact,
    Kind,
    KnownEntity,
    entity_key,
)
from loci_dataplane.model.memory import timestamp
from loci_dataplane.model.timeline import Assertion
from loci_dataplane.stores.rows import Row

Given = dict[str, str | None]
"""Parameters of a query by name; None where anything matches."""


def entity_parameters(where: EntityFilter) -> Given:
    """Return `scope`, `text` (folded like a key) and `kind`."""
    return {
        "scope": where.scope,
        "text": entity_key(where.text) if where.text else None,
        "kind": where.kind.value if where.kind else None,
    }


def fact_parameters(where: FactFilter) -> Given:
    """Return `scope`, `subject` and `object` (as keys), `predicate` and `at`."""
    return {
        "scope": where.scope,
        "subject": None if where.subject is None else entity_key(where.subject),
        "predicate": where.predicate,
        "object": None if where.object is None else entity_key(where.object),
        "at": timestamp(where.as_of) if where.as_of else None,
    }


def entity_of(row: Row) -> KnownEntity:
    """Return the entity of a row."""
    return KnownEntity(EntityRef(row["scope"], row["key"]), row["name"], Kind(row["kind"]), row["mentions"])


def fact_of(row: Row) -> HeldFact:
    """Return the fact of a row."""
    return HeldFact(
        scope=row["scope"],
        subject=row["subject"],
        predicate=row["predicate"],
        object=row["object"],
        valid_from=datetime.fromisoformat(row["valid_from"]),
        valid_to=datetime.fromisoformat(row["valid_to"]) if row["valid_to"] else None,
        memory_id=row["memory_id"],
    )


def edge_of(row: Row) -> Edge:
    """Return the edge of a row: the target's columns are an entity's, the source's start with `source_`."""
    return Edge(
        source=EntityRef(row["source_scope"], row["source_key"]),
        target=entity_of(row),
        predicate=row["predicate"],
        weight=row["weight"],
        inverse=bool(row["inverse"]),
    )


def assertion_of(row: Row, fact_id: int | str, object_key: str | None, position: int) -> Assertion:
    """Return the statement of a fact's columns, of the memory at a position."""
    return Assertion(
        id=fact_id,
        predicate=row["predicate"],
        object_key=object_key,
        valid_from=datetime.fromisoformat(row["valid_from"]),
        ranked_at=datetime.fromisoformat(row["ranked_at"]),
        order=(position, row["place"]),
        exclusive=bool(row["exclusive"]),
        ends=bool(row["ends"]),
    )
