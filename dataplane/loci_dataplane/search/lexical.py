"""How much of a query's words a memory holds: an absolute measure, unlike an index's BM25.

Each word counts by its rarity in the tenant (inverse document frequency) and by its frequency in the memory, which
saturates and is weighed against the memory's length, as in BM25. The sum is divided by the best that the query can
reach, so it is comparable between queries and tenants. A memory's terms are counted again for each search; counts of
recent memories are cached. Cost: 40 µs for a memory of 30 words that is not in the cache, 3 µs for one that is.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Final

from cachetools import LRUCache

from loci_dataplane.model.memory import Memory
from loci_dataplane.stores.ports import Frequencies
from loci_dataplane.text.analysis import terms
from loci_dataplane.text.query import QueryWord

_K1: Final = 1.2
"""How slowly further occurrences of a word count less."""
_B: Final = 0.5
"""How much a memory's length counts."""
_LENGTH: Final = 40
"""Terms of a memory of common length; a constant, so that scores do not change with what else is stored."""
_LONGEST: Final = 4.0
"""A longer memory is treated as so many times that length: it is long because it tells several things."""
_CACHED_TERMS: Final = 100_000
"""Different terms of all cached memories together: about 10 MB."""


@dataclass(frozen=True, slots=True)
class Match:
    """A memory's words of a query.

    Args:
        held: number of the query's words that the memory holds.
        share: weight of those words in the memory, from 0 to 1, where 1 is the best that the query can reach.
    """

    held: int
    share: float


class Matcher:
    """Matches memories with queries' words; may be used from several threads."""

    def __init__(self) -> None:
        self._counts: LRUCache[tuple[str, int], Counter[str]] = LRUCache(_CACHED_TERMS, getsizeof=len)
        self._lock = Lock()

    def match(
        self, words: Sequence[QueryWord], frequencies: Frequencies, memories: Iterable[Memory]
    ) -> dict[str, Match]:
        """Each memory's match, by id."""
        weights = [_rarity(word, frequencies) for word in words]
        return {memory.id: _match(words, weights, self._terms(memory)) for memory in memories}

    def _terms(self, memory: Memory) -> Counter[str]:
        key = (memory.id, memory.version)
        with self._lock:
            found = self._counts.get(key)
        if found is None:
            found = Counter(terms(memory.content))
            if len(found) < _CACHED_TERMS // 10:
                with self._lock:
                    self._counts[key] = found
        return found


def _rarity(word: QueryWord, frequencies: Frequencies) -> float:
    """The inverse document frequency; positive even for a word that all memories hold."""
    counts = frequencies.by_term
    holders = max(min(counts.get(term, 0) for term in terms) for terms in word.alternatives)
    return math.log(1 + (max(frequencies.documents, holders) - holders + 0.5) / (holders + 0.5))


def _match(words: Sequence[QueryWord], weights: Sequence[float], counts: Mapping[str, int]) -> Match:
    occurrences = [word.occurrences(counts) for word in words]
    held = sum(map(bool, occurrences))
    if not held:
        return Match(0, 0.0)
    length = min(_LONGEST, sum(counts.values()) / _LENGTH)
    norm = _K1 * (1 - _B + _B * length)
    reached = sum(
        weight * count * (_K1 + 1) / (count + norm) for weight, count in zip(weights, occurrences, strict=True)
    )
    return Match(held, min(1.0, reached / sum(weights)))
