"""Finding memories by meaning: the cosine similarity of embeddings.

The evidence of a cosine is a logistic curve, whose centre and width belong to the model (`make bench-calibration`
measures them). A model that knows English only gives high cosines to any two texts in another script, so there they
count little, and for a query in another language of Latin script they count half. Those two factors are chosen.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import ClassVar, Final

import regex

from loci_dataplane.model import filter as language
from loci_dataplane.search.lexical import Match
from loci_dataplane.search.question import Question
from loci_dataplane.search.retrievers.port import Found, Retriever
from loci_dataplane.stores.embedding import Embedder, EmbeddingModel, Purpose
from loci_dataplane.stores.ports import Hit, Stores, Vector, Vectors
from loci_dataplane.text.folding import fold
from loci_dataplane.text.stop_words import in_english

_FOREIGN_SCRIPT: Final = 0.25
_FOREIGN_LANGUAGE: Final = 0.5
_WIDE: Final = 10_000
"""Nearest memories that are looked at when a filter admits more than `exact_filter`."""
_LETTER: Final = regex.compile(r"\p{L}")
_LATIN: Final = regex.compile(r"\p{Latin}")


class VectorRetriever(Retriever):
    """Candidates from the vector index; evidence is the cosine of a memory's best part."""

    name: ClassVar[str] = "vector"
    weight: ClassVar[float] = 0.5
    weight_alone: ClassVar[float] = 0.5
    needs_word: ClassVar[bool] = False

    def __init__(self, stores: Stores, embedder: Embedder) -> None:
        self._records = stores.records
        self._vectors = stores.vectors
        self._embedder = embedder
        self.exact_filter = 30_000
        """A filter that admits at most so many memories goes to the vector index as their ids: 30 ms for 20,000."""

    async def find(self, question: Question, limit: int) -> Found:
        """Find the nearest memories that the filter admits."""
        generation = self._vectors.serving or await self._vectors.adopt((await self._embedder.model()).name)
        embedder = self._embedder.of(generation.model)
        model = await embedder.model()
        (vector,) = await embedder.embed([question.text], Purpose.QUERY, interactive=True)
        hits = await self._nearest(generation.vectors, vector, question, limit)
        cosines = {hit.memory_id: hit.score for hit in hits}
        trust = _trust_in_english(question.text) if model.english_only else 1.0

        async def judge(matches: Mapping[str, Match]) -> Mapping[str, float]:
            if unknown := [memory_id for memory_id in matches if memory_id not in cosines]:
                further = await generation.vectors.search(vector, len(unknown), unknown)
                cosines.update((hit.memory_id, hit.score) for hit in further)
            return {i: trust * evidence(cosines[i], model) if i in cosines else 0.0 for i in matches}

        return Found(hits, judge)

    async def _nearest(self, vectors: Vectors, vector: Vector, question: Question, limit: int) -> Sequence[Hit]:
        where = question.where
        if where == language.EVERYTHING:
            return await vectors.search(vector, limit, None)
        among = await self._records.matching(where, self.exact_filter + 1, question.now)
        if len(among) <= self.exact_filter:
            return await vectors.search(vector, limit, among)
        nearest = await vectors.search(vector, _WIDE, None)
        ids = language.Among(tuple(hit.memory_id for hit in nearest))
        admitted = set(await self._records.matching(language.AllOf((where, ids)), _WIDE, question.now))
        return [hit for hit in nearest if hit.memory_id in admitted][:limit]


def evidence(cosine: float, model: EmbeddingModel) -> float:
    """The evidence of a cosine similarity, from 0 to 1."""
    return 1 / (1 + math.exp(-(cosine - model.centre) / model.width))


def _trust_in_english(query: str) -> float:
    """How far the cosines of a model that knows English only can be believed for a query, from 0 to 1."""
    letters = len(_LETTER.findall(query))
    if not letters:
        return 1.0
    latin = len(_LATIN.findall(query)) / letters
    known = _FOREIGN_SCRIPT + (1 - _FOREIGN_SCRIPT) * latin
    return known if in_english(fold(query).split()) else known * _FOREIGN_LANGUAGE
