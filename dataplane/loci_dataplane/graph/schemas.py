"""Entities, facts and neighbours as they are asked for and returned."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from pydantic import BaseModel, Field

from loci_contract.inputs import Input
from loci_contract.times import Time
from loci_dataplane.memories.schemas import Name
from loci_dataplane.model.graph import Edge, Entity, Extraction, Fact, Kind, KnownEntity


class FactsQuery(Input):
    """Which facts."""

    user_id: Name | None = Field(None, description="Only facts from this user's memories.")
    subject: Name | None = Field(None, description="Subject of the facts, such as `Ada`; case-insensitive.")
    predicate: Name | None = Field(None, description="Predicate of the facts, such as `lives_in`.")
    object: Name | None = Field(None, description="Object of the facts, such as `Lisbon`.")
    as_of: Time | None = Field(None, description="Facts that held at this time; now by default.")
    history: bool = Field(False, description="Facts of all times; not together with `as_of`.")
    limit: int = Field(50, ge=1, le=200, description="Maximum number of facts.")


class FactOutput(BaseModel):
    """A fact, which holds from `valid_from` until before `valid_to` (null: it still does)."""

    subject: str
    predicate: str
    object: str
    user_id: str | None
    valid_from: datetime
    valid_to: datetime | None
    memory_ids: list[str] = Field(description="The memories that state it, the oldest first.")


class FactsOutput(BaseModel):
    """Facts by subject, predicate and time."""

    facts: list[FactOutput]


class EntitiesQuery(Input):
    """Which entities."""

    user_id: Name | None = Field(None, description="Only entities of this user's memories.")
    name: Name | None = Field(None, description="Part of the name; case does not matter.")
    kind: Kind | None = Field(None, description="Only entities of this kind.")
    limit: int = Field(50, ge=1, le=200, description="Maximum number of entities.")


class EntityOutput(BaseModel):
    """An entity; `mentions` is the number of memories that mention it."""

    name: str
    kind: Kind
    user_id: str | None
    mentions: int

    @classmethod
    def of(cls, known: KnownEntity) -> Self:
        """The representation of an entity of the graph."""
        return cls(name=known.name, kind=known.kind, user_id=known.ref.scope or None, mentions=known.mentions)


class EntitiesOutput(BaseModel):
    """Entities, the most mentioned first."""

    entities: list[EntityOutput]


class NeighborsQuery(Input):
    """Whose neighbours."""

    entity: Name = Field(description="The entity's name; case does not matter.")
    user_id: Name | None = Field(None, description="Only the entity of this user's memories.")
    depth: int = Field(1, ge=1, le=3, description="Number of edges that a neighbour is away at most.")
    limit: int = Field(50, ge=1, le=200, description="Maximum number of neighbours.")


class NeighborOutput(EntityOutput):
    """An entity and its distance, in edges, from the one that was asked for."""

    distance: int


class EdgeOutput(BaseModel):
    """A relation between two entities: a fact that holds now, or `mentioned_with`."""

    source: str
    predicate: str
    target: str
    user_id: str | None
    memories: int = Field(description="Number of memories that state it.")


class NeighborsOutput(BaseModel):
    """Entities around one, the nearest first, and an edge by which each of them was reached."""

    entity: EntityOutput
    neighbors: list[NeighborOutput]
    edges: list[EdgeOutput]

    @staticmethod
    def edge(edge: Edge, source: str) -> EdgeOutput:
        """The representation of an edge that leads from an entity of this name."""
        ends = (edge.target.name, source) if edge.inverse else (source, edge.target.name)
        user_id = edge.source.scope or None
        return EdgeOutput(
            source=ends[0], predicate=edge.predicate, target=ends[1], user_id=user_id, memories=edge.weight
        )


class ExtractedEntity(BaseModel):
    """An entity that a memory mentions."""

    name: str
    kind: Kind

    @classmethod
    def of(cls, entity: Entity) -> Self:
        """The representation of an entity."""
        return cls(name=entity.name, kind=entity.kind)


class ExtractedFact(BaseModel):
    """A fact stated by a memory; with `ends`, its end (without an object: of all objects)."""

    subject: str
    predicate: str
    object: str | None
    valid_from: datetime
    ends: bool

    @classmethod
    def of(cls, fact: Fact) -> Self:
        """The representation of a fact."""
        return cls(
            subject=fact.subject.name,
            predicate=fact.predicate,
            object=fact.object.name if fact.object else None,
            valid_from=fact.valid_from,
            ends=fact.ends,
        )


class Extracted(BaseModel):
    """Contribution of a memory to the graph."""

    entities: list[ExtractedEntity]
    facts: list[ExtractedFact]

    @classmethod
    def of(cls, extraction: Extraction) -> Self:
        """The representation of an extraction."""
        entities = [ExtractedEntity.of(entity) for entity in extraction.mentions]
        return cls(entities=entities, facts=[ExtractedFact.of(fact) for fact in extraction.facts])
