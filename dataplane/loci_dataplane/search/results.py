"""Search results that need not be computed: those in the cache, and those that are being computed for another request.

A result is kept only if it is complete: every retriever took part, no memory was waiting for its vectors, and none of
the results expires. Equal searches at the same time are computed once. One that begins after an acknowledged write has
another generation, so it never waits for a search that began before.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from loci_dataplane.search.schemas import SearchInput, SearchOutput
from loci_dataplane.stores.cache import SearchCache
from loci_runtime.tracing import span

Compute = Callable[[], Awaitable[SearchOutput]]


class Results:
    """A tenant's cached and running searches.

    Args:
        cache: the cache.
        generation: returns the present generation of the records.
    """

    def __init__(self, cache: SearchCache, generation: Callable[[], Awaitable[str]]) -> None:
        self._cache = cache
        self._generation = generation
        self._running: dict[tuple[str, str], asyncio.Task[SearchOutput]] = {}
        self._found = 0
        self._computed = 0

    def hit_ratio(self) -> float:
        """Share of searches that were not computed, 0 to 1."""
        return self._found / max(1, self._found + self._computed)

    async def forget(self) -> None:
        """Drop all cached results; StoreUnavailableError if that fails."""
        await self._cache.clear()

    async def of(self, wanted: SearchInput, compute: Compute) -> SearchOutput:
        """Return the results of a search, computed unless they are known."""
        query = wanted.model_dump_json()
        with span("cache_lookup") as lookup:
            key = (await self._generation(), query)
            cached = None if key in self._running else await self._cache.get(*key)
            lookup.set(cache__hit=cached is not None)
        if cached is not None:
            self._found += 1
            return SearchOutput.model_validate_json(cached)
        return await asyncio.shield(self._task(key, compute))

    def _task(self, key: tuple[str, str], compute: Compute) -> asyncio.Task[SearchOutput]:
        """The running search of a key; it goes on when the request that started it is cancelled."""
        if (task := self._running.get(key)) is not None:
            self._found += 1
            return task
        self._computed += 1
        task = asyncio.create_task(self._compute(key, compute))
        self._running[key] = task
        task.add_done_callback(lambda done: self._ended(key, done))
        return task

    async def _compute(self, key: tuple[str, str], compute: Compute) -> SearchOutput:
        output = await compute()
        if _is_complete(output):
            await self._cache.put(*key, output.model_dump_json().encode())
        return output

    def _ended(self, key: tuple[str, str], task: asyncio.Task[SearchOutput]) -> None:
        del self._running[key]
        if not task.cancelled():
            task.exception()  # retrieved, since every request that waited for it may be gone


def _is_complete(output: SearchOutput) -> bool:
    return not (output.degraded or output.pending) and not any(result.expires_at for result in output.results)
