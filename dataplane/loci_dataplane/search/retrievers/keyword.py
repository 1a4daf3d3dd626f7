"""Finding memories by the words of the query."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from loci_dataplane.search.lexical import Match
from loci_dataplane.search.question import Question
from loci_dataplane.search.retrievers.port import Found, Retriever
from loci_dataplane.stores.ports import Stores
from loci_dataplane.text.query import index_terms


class KeywordRetriever(Retriever):
    """Candidates from the full-text index by BM25; evidence is the lexical match."""

    name: ClassVar[str] = "keyword"
    weight: ClassVar[float] = 0.5
    weight_alone: ClassVar[float] = 1.0
    needs_word: ClassVar[bool] = True

    def __init__(self, stores: Stores) -> None:
        self._full_text = stores.full_text

    async def find(self, question: Question, limit: int) -> Found:
        """Find memories that hold any term of the query's words."""
        terms = index_terms(question.words)
        hits = await self._full_text.search(terms, question.where, limit, question.now) if terms else []
        return Found(hits, _judge)


async def _judge(matches: Mapping[str, Match]) -> Mapping[str, float]:
    return {memory_id: match.share for memory_id, match in matches.items()}
