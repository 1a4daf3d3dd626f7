"""Reading the graph: facts, entities and what is around an entity."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Final

from loci_dataplane.graph.schemas import (
    EntitiesQuery,
    EntityOutput,
    FactOutput,
    FactsQuery,
    NeighborOutput,
    NeighborsOutput,
    NeighborsQuery,
)
from loci_dataplane.model.graph import Edge, EntityFilter, EntityRef, FactFilter, HeldFact, KnownEntity, entity_key
from loci_dataplane.stores.ports import Graph
from loci_runtime.errors import InvalidError, NotFoundError

_STATEMENTS: Final = 5_000
"""Statements that are read for one answer, of which those that say the same are one fact."""
_EDGES_PER_NEIGHBOUR: Final = 4


class GraphService:
    """A tenant's graph.

    Args:
        graph: the graph.
        now: the clock, in UTC.
    """

    def __init__(self, graph: Graph, now: Callable[[], datetime]) -> None:
        self._graph = graph
        self._now = now

    async def facts(self, query: FactsQuery) -> list[FactOutput]:
        """Return facts that hold at a time, or those of all times."""
        if query.history and query.as_of:
            raise InvalidError("cannot be given together with history: leave one of them out", "query.as_of")
        where = FactFilter(
            scope=query.user_id,
            subject=query.subject,
            predicate=query.predicate,
            object=query.object,
            as_of=None if query.history else query.as_of or self._now(),
        )
        return merged(await self._graph.facts(where, _STATEMENTS))[: query.limit]

    async def entities(self, query: EntitiesQuery) -> list[EntityOutput]:
        """Return entities, the most mentioned first."""
        where = EntityFilter(scope=query.user_id, text=query.name, kind=query.kind)
        return [EntityOutput.of(entity) for entity in await self._graph.entities(where, query.limit)]

    async def neighbors(self, query: NeighborsQuery) -> NeighborsOutput:
        """Return what is around an entity, breadth first; NotFoundError if there is no such entity."""
        named = await self._graph.named([entity_key(query.entity)], query.user_id)
        if not named:
            raise NotFoundError("There is no entity of this name; GET /v2/entities lists those that there are.")
        root = named[0]
        known, reached, edges = {root.ref: root}, list[NeighborOutput](), list[Edge]()
        frontier: Sequence[EntityRef] = [root.ref]
        for distance in range(1, query.depth + 1):
            room = query.limit - len(reached)
            found = await self._around(frontier, room) if room else []
            new = _first_of_each(found, known)[:room]
            known |= {edge.target.ref: edge.target for edge in new}
            reached += [_neighbor(edge.target, distance) for edge in new]
            edges += new
            frontier = [edge.target.ref for edge in new]
        names = {ref: entity.name for ref, entity in known.items()}
        shown = [NeighborsOutput.edge(edge, names[edge.source]) for edge in edges]
        return NeighborsOutput(entity=EntityOutput.of(root), neighbors=reached, edges=shown)

    async def _around(self, frontier: Sequence[EntityRef], room: int) -> Sequence[Edge]:
        return await self._graph.edges(frontier, self._now(), _EDGES_PER_NEIGHBOUR * (room + len(frontier)))


def merged(facts: Iterable[HeldFact]) -> list[FactOutput]:
    """One fact for all statements that say the same of the same time, in their order."""
    found: dict[tuple[object, ...], FactOutput] = {}
    for fact in facts:
        key = (fact.scope, fact.subject, fact.predicate, fact.object, fact.valid_to)
        if key in found:
            found[key].memory_ids.append(fact.memory_id)
            continue
        found[key] = FactOutput(
            subject=fact.subject,
            predicate=fact.predicate,
            object=fact.object,
            user_id=fact.scope or None,
            valid_from=fact.valid_from,
            valid_to=fact.valid_to,
            memory_ids=[fact.memory_id],
        )
    return list(found.values())


def _first_of_each(edges: Iterable[Edge], known: dict[EntityRef, KnownEntity]) -> list[Edge]:
    first: dict[EntityRef, Edge] = {}
    for edge in edges:
        if edge.target.ref not in known:
            first.setdefault(edge.target.ref, edge)
    return list(first.values())


def _neighbor(entity: KnownEntity, distance: int) -> NeighborOutput:
    return NeighborOutput(**EntityOutput.of(entity).model_dump(), distance=distance)
