"""The port of the cache of search results, and its adapter within the process.

Entries belong to a generation (`Records.generation`). A search reads the present one first, so no pod returns a result
from before an acknowledged write. The cache may drop entries at any time.
"""

from __future__ import annotations

from typing import Final, Protocol

from cachetools import LRUCache

_BYTES: Final = 4_000_000
"""Maximum size of all cached results of a process together."""
_OVERHEAD: Final = 500
"""Bytes that an entry takes besides its value, approximately."""


class SearchCache(Protocol):
    """Encoded search results by generation and query. `get` and `put` never fail: a cache that is away is empty."""

    async def get(self, generation: str, query: str) -> bytes | None:
        """Return what was put for a query in this generation, if it is still there."""

    async def put(self, generation: str, query: str, result: bytes) -> None:
        """Keep a result that was computed after `generation` was read."""

    async def clear(self) -> None:
        """Remove all results, also those of other pods in a shared cache; StoreUnavailableError if that fails."""

    async def check(self) -> None:
        """Raise StoreUnavailableError unless the cache can be used."""


class ProcessCache:
    """Results of the newest generation that was asked for, in this process."""

    def __init__(self, size: int = _BYTES) -> None:
        self._results: LRUCache[str, bytes] = LRUCache(size, getsizeof=lambda result: len(result) + _OVERHEAD)
        self._generation = ""

    async def get(self, generation: str, query: str) -> bytes | None:
        """Return a result; those of another generation are dropped."""
        if generation != self._generation:
            self._results.clear()
            self._generation = generation
        return self._results.get(query)

    async def put(self, generation: str, query: str, result: bytes) -> None:
        """Keep a result, unless it is too large or of another generation."""
        if generation == self._generation and len(result) + _OVERHEAD <= self._results.maxsize:
            self._results[query] = result

    async def clear(self) -> None:
        """Remove all results."""
        self._results.clear()

    async def check(self) -> None:
        """Do nothing: memory is always there."""
