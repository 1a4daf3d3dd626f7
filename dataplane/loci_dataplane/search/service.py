"""Search: retrievers side by side under a deadline, fused, with the rows behind the hits; and a cache of answers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import structlog
from cachetools import LRUCache

from loci_dataplane.model import filter as language
from loci_dataplane.model.filter import Filter
from loci_dataplane.model.memory import Memory
from loci_dataplane.search.fusion import Ranked, fuse
from loci_dataplane.search.schemas import Mode, SearchInput, SearchOutput, SearchResult
from loci_dataplane.search.words import telling_terms
from loci_dataplane.stores.ports import Embedder, Hit, Stores
from loci_runtime.errors import UnavailableError

_CANDIDATES: Final = 100
_DEADLINE: Final = 1.0
"""Seconds after which an answer goes out without the retrievers that are late."""
_WIDE: Final = 10_000
"""Of the nearest memories so many are looked at when a filter admits more than that."""
_CACHED_CHARACTERS: Final = 4_000_000
"""Bound of all cached answers together."""
_RETRIEVERS: Final = {
    Mode.HYBRID: ("vector", "keyword"),
    Mode.VECTOR: ("vector",),
    Mode.KEYWORD: ("keyword",),
}


class Search:
    """Searches a tenant's memories."""

    def __init__(
        self,
        stores: Stores,
        embedder: Embedder,
        generation: Callable[[], int],
        now: Callable[[], datetime],
    ) -> None:
        self._stores = stores
        self._embedder = embedder
        self._generation = generation
        self._now = now
        self._cache: LRUCache[tuple[int, str], SearchOutput] = LRUCache(_CACHED_CHARACTERS, getsizeof=_size)
        self._log = structlog.get_logger()
        self._hits = 0
        self._misses = 0
        self.exact_filter = 30_000
        """A filter that admits at most so many memories goes to the vector index as their ids: 30 ms for 20,000."""

    def hit_ratio(self) -> float:
        """Share of searches that the cache answered, 0 to 1."""
        return self._hits / max(1, self._hits + self._misses)

    async def search(self, wanted: SearchInput) -> SearchOutput:
        """Find memories; UnavailableError when every retriever failed."""
        where = language.parse(wanted.filters)
        key = (self._generation(), wanted.model_dump_json())
        if (cached := self._cache.get(key)) is not None:
            self._hits += 1
            return cached
        self._misses += 1
        now = self._now()
        pending = await self._stores.outbox.pending()  # before the indexes are searched, so that none is overlooked
        found, degraded = await self._retrieve(wanted, where, now)
        ranked = fuse(
            found, await self._stores.records.neighbours([h.memory_id for hits in found.values() for h in hits])
        )
        memories = await self._memories(ranked, wanted, where, now)
        results = [_result(r, memories[r.memory_id], wanted) for r in ranked if r.memory_id in memories]
        output = SearchOutput(results=results[: wanted.limit], degraded=degraded, pending=pending)
        if not (degraded or pending) and not any(result.expires_at for result in output.results):
            self._cache[key] = output
        return output

    async def _retrieve(
        self, wanted: SearchInput, where: Filter, now: datetime
    ) -> tuple[dict[str, Sequence[Hit]], list[str]]:
        """Each retriever's hits, and the names of those that failed or were late."""
        ways: dict[str, Callable[..., Coroutine[Any, Any, Sequence[Hit]]]] = {
            "vector": self._by_vector,
            "keyword": self._by_keyword,
        }
        names = _RETRIEVERS[wanted.mode]
        tasks = {name: asyncio.create_task(ways[name](wanted.query, where, now)) for name in names}
        await asyncio.wait(tasks.values(), timeout=_DEADLINE)
        found: dict[str, Sequence[Hit]] = {}
        for name, task in tasks.items():
            if task.done() and task.exception() is None:
                found[name] = task.result()
            else:
                self._log.warning("retriever left out", retriever=name, reason=_reason(task))
                task.cancel()
        if not found:
            raise UnavailableError("No index can be searched just now; try again in a moment.")
        return found, [name for name in names if name not in found]

    async def _by_vector(self, query: str, where: Filter, now: datetime) -> Sequence[Hit]:
        (vector,) = await self._embedder.embed([query], interactive=True)
        if where == language.EVERYTHING:
            return await self._stores.vectors.search(vector, _CANDIDATES, None)
        among = await self._stores.records.matching(where, self.exact_filter + 1, now)
        if len(among) <= self.exact_filter:
            return await self._stores.vectors.search(vector, _CANDIDATES, among)
        nearest = await self._stores.vectors.search(vector, _WIDE, None)
        ids = language.Among(tuple(hit.memory_id for hit in nearest))
        admitted = set(await self._stores.records.matching(language.AllOf((where, ids)), _WIDE, now))
        return [hit for hit in nearest if hit.memory_id in admitted][:_CANDIDATES]

    async def _by_keyword(self, query: str, where: Filter, now: datetime) -> Sequence[Hit]:
        words = telling_terms(query)
        return await self._stores.full_text.search(words, where, _CANDIDATES, now) if words else []

    async def _memories(
        self, ranked: Sequence[Ranked], wanted: SearchInput, where: Filter, now: datetime
    ) -> Mapping[str, Memory]:
        """The rows that may be shown: there is one, it lives, the filter admits it, its score suffices."""
        ids = [r.memory_id for r in ranked if r.score >= wanted.threshold]
        if where == language.EVERYTHING:
            return await self._stores.records.get(ids[: wanted.limit * 2 + _CANDIDATES], now)
        admitted = language.AllOf((where, language.Among(tuple(ids))))
        return {memory.id: memory for memory in await self._stores.records.page(admitted, 0, len(ids), now)}


def _reason(task: asyncio.Task[Any]) -> str:
    """Why a retriever took no part, without anything that was searched for."""
    return type(task.exception()).__name__ if task.done() else "late"


def _size(output: SearchOutput) -> int:
    """An answer's characters, about."""
    return sum(1_000 + len(result.content) for result in output.results) + 1_000


def _result(ranked: Ranked, memory: Memory, wanted: SearchInput) -> SearchResult:
    explanation = {**ranked.parts, "neighbour": ranked.neighbour} if wanted.explain else None
    fields = {name: getattr(memory, name) for name in SearchResult.model_fields if hasattr(memory, name)}
    return SearchResult.model_construct(**fields, score=ranked.score, explanation=explanation)
