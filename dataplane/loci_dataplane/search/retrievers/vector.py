"""Finding memories by meaning: the cosine similarity of embeddings.

The evidence of a cosine is a logistic curve, with centre and width for the default model. `make bench-calibration`
measures 0.48 and 0.10 on turns that are embedded with their speaker, and measured 0.43 and 0.10 on the same turns
without; the centre is the lower one, since contents without a speaker must be found as well, and it ranks no worse.

The model knows English best: in another script its cosines are high between any two texts, so there they count little,
and for a query in another language of Latin script they count half. Those two factors are chosen, not measured.
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
from loci_dataplane.stores.ports import Embedder, Hit, Stores, Vector
from loci_dataplane.text.folding import fold
from loci_dataplane.text.stop_words import in_english

CENTRE: Final = 0.43
"""The cosine with evidence 0.5: half-way between that of answers and the best one in a foreign conversation,
without speakers."""
WIDTH: Final = 0.11
"""The increase of the cosine that raises evidence from 0.5 to 0.73: its standard deviation among answers."""
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
    weight_alone: ClassVar[float] = 0.6
    needs_word: ClassVar[bool] = False

    def __init__(self, stores: Stores, embedder: Embedder) -> None:
        self._records = stores.records
        self._vectors = stores.vectors
        self._embedder = embedder
        self.exact_filter = 30_000
        """A filter that admits at most so many memories goes to the vector index as their ids: 30 ms for 20,000."""

    async def find(self, question: Question, limit: int) -> Found:
        """Find the nearest memories that the filter admits."""
        (vector,) = await self._embedder.embed([question.text], interactive=True)
        hits = await self._nearest(vector, question, limit)
        cosines = {hit.memory_id: hit.score for hit in hits}
        trust = _trust(question.text)

        async def judge(matches: Mapping[str, Match]) -> Mapping[str, float]:
            if unknown := [memory_id for memory_id in matches if memory_id not in cosines]:
                further = await self._vectors.search(vector, len(unknown), unknown)
                cosines.update((hit.memory_id, hit.score) for hit in further)
            return {i: trust * evidence(cosines[i]) if i in cosines else 0.0 for i in matches}

        return Found(hits, judge)

    async def _nearest(self, vector: Vector, question: Question, limit: int) -> Sequence[Hit]:
        where = question.where
        if where == language.EVERYTHING:
            return await self._vectors.search(vector, limit, None)
        among = await self._records.matching(where, self.exact_filter + 1, question.now)
        if len(among) <= self.exact_filter:
            return await self._vectors.search(vector, limit, among)
        nearest = await self._vectors.search(vector, _WIDE, None)
        ids = language.Among(tuple(hit.memory_id for hit in nearest))
        admitted = set(await self._records.matching(language.AllOf((where, ids)), _WIDE, question.now))
        return [hit for hit in nearest if hit.memory_id in admitted][:limit]


def evidence(cosine: float) -> float:
    """The evidence of a cosine similarity, from 0 to 1."""
    return 1 / (1 + math.exp(-(cosine - CENTRE) / WIDTH))


def _trust(query: str) -> float:
    """How far the model's cosines for a query can be believed, from 0 to 1."""
    letters = len(_LETTER.findall(query))
    if not letters:
        return 1.0
    latin = len(_LATIN.findall(query)) / letters
    known = _FOREIGN_SCRIPT + (1 - _FOREIGN_SCRIPT) * latin
    return known if in_english(fold(query).split()) else known * _FOREIGN_LANGUAGE
