"""Finding memories by the entities that the query names.

Up to three words of the query in a row are looked up as an entity's name, in any case. A memory's evidence is the
share of the named entities that it mentions, each weighed by its rarity in the tenant: a speaker of half of all
memories counts little, a town that one memory mentions counts much. Memories that mention none are not found.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import ClassVar

from loci_dataplane.model.filter import AllOf, Condition, Filter
from loci_dataplane.model.graph import EntityRef, KnownEntity, possible_keys
from loci_dataplane.search.lexical import Match
from loci_dataplane.search.question import Question
from loci_dataplane.search.retrievers.port import Found, Retriever
from loci_dataplane.stores.ports import Hit, Stores


class GraphRetriever(Retriever):
    """Candidates from the graph; evidence is the weighted share of the query's entities."""

    name: ClassVar[str] = "graph"
    weight: ClassVar[float] = 0.0
    weight_alone: ClassVar[float] = 0.75
    needs_word: ClassVar[bool] = False

    def __init__(self, stores: Stores) -> None:
        self._graph = stores.graph

    async def find(self, question: Question, limit: int) -> Found:
        """Find memories that mention any entity that the query names."""
        entities = await self._graph.named(possible_keys(question.text), _scope(question.where))
        memories = (await self._graph.size()).memories if entities else 0
        weights = {entity.ref: _rarity(entity, memories) for entity in entities}
        total = _total(weights)
        hits = await self._graph.mentioning(weights, limit) if weights else []

        async def judge(matches: Mapping[str, Match]) -> Mapping[str, float]:
            further = await self._graph.mentioning(weights, len(matches), list(matches)) if weights else []
            scores = {hit.memory_id: min(1.0, hit.score / total) for hit in further}
            return {memory_id: scores.get(memory_id, 0.0) for memory_id in matches}

        return Found(_shares(hits, total), judge)


def _shares(hits: Sequence[Hit], total: float) -> list[Hit]:
    return [Hit(hit.memory_id, min(1.0, hit.score / total)) for hit in hits]


def _rarity(entity: KnownEntity, memories: int) -> float:
    return math.log(1 + (max(memories, entity.mentions) - entity.mentions + 0.5) / (entity.mentions + 0.5))


def _total(weights: Mapping[EntityRef, float]) -> float:
    """Reach of a memory that mentions every name; users' entities of one name are one name."""
    best: dict[str, float] = {}
    for ref, weight in weights.items():
        best[ref.key] = max(best.get(ref.key, 0.0), weight)
    return sum(best.values())


def _scope(where: Filter) -> str | None:
    """The one user whose memories a filter admits, if it says so; None for any."""
    parts = where.parts if isinstance(where, AllOf) else (where,)
    for part in parts:
        if isinstance(part, AllOf) and (scope := _scope(part)) is not None:
            return scope
        user = isinstance(part, Condition) and (part.field, part.operator) == ("user_id", "eq")
        if user and isinstance(part, Condition) and isinstance(part.value, str):
            return part.value
    return None
