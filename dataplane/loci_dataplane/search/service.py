"""Search: retrievers side by side under a deadline, then one ranking of their candidates; results are cached.

Candidates are the retrievers' best hits and, in mode hybrid, the neighbours of the first of them. Their rows are read
once, every candidate is judged by every retriever, and the sums are ranked (`fusion`). Only live rows that the filter
admits are candidates, so an index that lags behind the records never adds a result that is gone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import structlog

from loci_dataplane.model import filter as language
from loci_dataplane.model.memory import Memory
from loci_dataplane.search.fusion import Ranked, fuse
from loci_dataplane.search.lexical import Match, Matcher, Neighbours
from loci_dataplane.search.question import Question
from loci_dataplane.search.recipe import DEFAULT, Recipe
from loci_dataplane.search.results import Results
from loci_dataplane.search.retrievers.port import Found, Retriever
from loci_dataplane.search.schemas import HYBRID, SearchInput, SearchOutput, SearchResult
from loci_dataplane.stores.ports import Frequencies, Stores
from loci_dataplane.text.query import index_terms, query_words
from loci_runtime.errors import UnavailableError
from loci_runtime.tracing import span

_CANDIDATES: Final = 100
"""Hits of each retriever."""
_WITH_NEIGHBOURS: Final = 30
"""Of these hits of each retriever the neighbours are candidates, too."""
_DEADLINE: Final = 1.0
"""Seconds after which an answer goes out without the retrievers that are late."""

_SPANS: Final = {"vector": "vector_search", "keyword": "keyword_search", "graph": "graph_traverse"}


class Search:
    """Searches a tenant's memories."""

    def __init__(
        self,
        stores: Stores,
        retrievers: Sequence[Retriever],
        now: Callable[[], datetime],
        recipe: Recipe = DEFAULT,
    ) -> None:
        self._stores = stores
        self._retrievers = retrievers
        self._now = now
        self._recipe = recipe
        self._matcher = Matcher(recipe)
        self._known = Results(stores.cache, stores.records.generation)
        self._log = structlog.get_logger()

    async def forget(self) -> None:
        """Drop all cached results, whose contents may have been erased."""
        await self._known.forget()

    def hit_ratio(self) -> float:
        """Share of searches that were not computed, 0 to 1."""
        return self._known.hit_ratio()

    async def search(self, wanted: SearchInput) -> SearchOutput:
        """Find memories; raise UnavailableError when every retriever failed."""
        where = language.parse(wanted.filters)
        return await self._known.of(wanted, lambda: self._compute(wanted, where))

    async def _compute(self, wanted: SearchInput, where: language.Filter) -> SearchOutput:
        question = Question(wanted.query, query_words(wanted.query), where, self._now())
        pending = await self._stores.outbox.pending()  # before the indexes are searched, so that none is overlooked
        results, degraded = await self._results(wanted, question)
        return SearchOutput(results=results, degraded=degraded, pending=pending)

    async def _results(self, wanted: SearchInput, question: Question) -> tuple[list[SearchResult], list[str]]:
        retrievers = [r for r in self._retrievers if wanted.mode == r.name or (wanted.mode == HYBRID and r.weight)]
        found = await self._retrieve(retrievers, question)
        neighbours = await self._neighbours(found) if wanted.spread else {}
        memories = await self._memories(_candidates(found, neighbours, wanted.mode), question)
        matches = await self._matches(memories, question, neighbours)
        if any(r.needs_word for r in retrievers) and wanted.mode != HYBRID:
            matches = {memory_id: match for memory_id, match in matches.items() if match.held}
        evidence, failed = await self._judge(found, matches)
        alone = wanted.mode != HYBRID or len(evidence) == 1
        weights = {r.name: r.weight_alone if alone else r.weight for r in retrievers}
        fused = fuse(evidence, weights, matches, neighbours, self._recipe)
        ranked = [r for r in fused if r.score >= wanted.threshold]
        results = [_result(r, memories[r.memory_id], found, wanted) for r in ranked[: wanted.limit]]
        return results, [r.name for r in retrievers if r.name not in found or r.name in failed]

    async def _retrieve(self, retrievers: Sequence[Retriever], question: Question) -> dict[str, Found]:
        """Run the retrievers; return the results of those that neither failed nor were late."""
        tasks = {r.name: asyncio.create_task(_spanned(r, question)) for r in retrievers}
        await asyncio.wait(tasks.values(), timeout=_DEADLINE)
        found: dict[str, Found] = {}
        for name, task in tasks.items():
            if task.done() and task.exception() is None:
                found[name] = task.result()
            else:
                self._log.warning("retriever left out", retriever=name, reason=_reason(task))
                task.cancel()
        if not found:
            raise UnavailableError("No index can be searched just now; try again in a moment.")
        return found

    async def _neighbours(self, found: Mapping[str, Found]) -> Mapping[str, Sequence[str]]:
        ids = dict.fromkeys(hit.memory_id for f in found.values() for hit in f.hits)
        return await self._stores.records.neighbours(list(ids))

    async def _memories(self, ids: Sequence[str], question: Question) -> Mapping[str, Memory]:
        """The live rows that the filter admits."""
        if question.where == language.EVERYTHING:
            return await self._stores.records.get(ids, question.now)
        admitted = language.AllOf((question.where, language.Among(tuple(ids))))
        return {memory.id: memory for memory in await self._stores.records.page(admitted, 0, len(ids), question.now)}

    async def _matches(
        self, memories: Mapping[str, Memory], question: Question, neighbours: Neighbours
    ) -> dict[str, Match]:
        terms = index_terms(question.words)
        frequencies = await self._stores.full_text.frequencies(terms) if terms else Frequencies(0)
        # Long memories take milliseconds, so not on the event loop.
        rows = list(memories.values())
        return await asyncio.to_thread(self._matcher.match, question.words, frequencies, rows, neighbours)

    async def _judge(
        self, found: Mapping[str, Found], matches: Mapping[str, Match]
    ) -> tuple[dict[str, Mapping[str, float]], list[str]]:
        """Return each retriever's evidence, and the names of the retrievers that failed."""
        judged = await asyncio.gather(*(f.judge(matches) for f in found.values()), return_exceptions=True)
        evidence: dict[str, Mapping[str, float]] = {}
        for name, values in zip(found, judged, strict=True):
            if isinstance(values, BaseException):
                self._log.warning("retriever left out", retriever=name, reason=type(values).__name__)
            else:
                evidence[name] = values
        if not evidence:
            raise UnavailableError("No index can be searched just now; try again in a moment.")
        return evidence, [name for name in found if name not in evidence]


def _candidates(found: Mapping[str, Found], neighbours: Mapping[str, Sequence[str]], mode: str) -> list[str]:
    """The hits and, in mode hybrid, the neighbours of the first of them."""
    hits = [hit.memory_id for f in found.values() for hit in f.hits]
    first = [hit.memory_id for f in found.values() for hit in f.hits[:_WITH_NEIGHBOURS]] if mode == HYBRID else []
    return list(dict.fromkeys([*hits, *(beside for memory_id in first for beside in neighbours.get(memory_id, ()))]))


async def _spanned(retriever: Retriever, question: Question) -> Found:
    with span(_SPANS[retriever.name]) as retrieving:
        found = await retriever.find(question, _CANDIDATES)
        retrieving.set(hits=len(found.hits))
        return found


def _reason(task: asyncio.Task[Any]) -> str:
    """Why a retriever took no part, without anything of the query."""
    return type(task.exception()).__name__ if task.done() else "late"


def _result(ranked: Ranked, memory: Memory, found: Mapping[str, Found], wanted: SearchInput) -> SearchResult:
    explanation = _explanation(ranked, found) if wanted.explain else None
    fields = {name: getattr(memory, name) for name in SearchResult.model_fields if hasattr(memory, name)}
    return SearchResult.model_construct(**fields, score=ranked.score, explanation=explanation)


def _explanation(ranked: Ranked, found: Mapping[str, Found]) -> dict[str, Any]:
    """By retriever the evidence and, if it found the memory itself, its rank and score; and what else adds to it."""
    explanation: dict[str, Any] = {"neighbour": ranked.neighbour, "speaker": ranked.speaker}
    for name, evidence in ranked.evidence.items():
        ranks = ((rank, hit) for rank, hit in enumerate(found[name].hits, 1) if hit.memory_id == ranked.memory_id)
        rank, hit = next(ranks, (None, None))
        explanation[name] = {"evidence": evidence, **({"rank": rank, "score": hit.score} if hit else {})}
    return explanation
