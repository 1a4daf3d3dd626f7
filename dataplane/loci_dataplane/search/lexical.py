"""How much of a query's words a memory holds: an absolute measure, unlike an index's BM25.

Each word counts by its rarity in the tenant (inverse document frequency) and by its frequency in the memory, which
saturates and is weighed against the memory's length, as in BM25. In a session the words around belong to what is said,
so a share of the frequencies in neighbours that are candidates, too, is added. The sum is divided by the best that the
query can reach, so it is comparable between queries and tenants. Names of speakers count apart (`speakers`).

A memory's terms are counted again for each search; counts of recent memories are cached. Cost: 40 µs for a memory of
30 words that is not in the cache, 5 µs for one that is.
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
from loci_dataplane.search.recipe import Recipe
from loci_dataplane.search.speakers import Name, naming
from loci_dataplane.stores.ports import Frequencies
from loci_dataplane.text.analysis import terms
from loci_dataplane.text.query import QueryWord
from loci_dataplane.text.utterance import utterance

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


Neighbours = Mapping[str, Iterable[str]]
"""By memory, those directly beside it in its session."""


@dataclass(frozen=True, slots=True)
class Match:
    """A memory's words of a query.

    Args:
        held: number of the query's words that the memory holds.
        share: weight of those words in the memory, from 0 to 1, where 1 is the best that the query can reach.
        named: whether the memory's speaker is the only one that the query names.
    """

    held: int
    share: float
    named: bool = False


@dataclass(frozen=True, slots=True)
class _Analysed:
    """A memory's terms by number, their sum, and the terms of its speaker's name."""

    counts: Counter[str]
    length: int
    speaker: Name


class Matcher:
    """Matches memories with queries' words; may be used from several threads."""

    def __init__(self, recipe: Recipe) -> None:
        self._recipe = recipe
        self._cache: LRUCache[tuple[str, int], _Analysed] = LRUCache(_CACHED_TERMS, getsizeof=_size)
        self._lock = Lock()

    def match(
        self,
        words: Sequence[QueryWord],
        frequencies: Frequencies,
        memories: Iterable[Memory],
        neighbours: Neighbours,
    ) -> dict[str, Match]:
        """Each memory's match, by id."""
        analysed = {memory.id: self._analyse(memory) for memory in memories}
        names = naming(words, {i: memory.speaker for i, memory in analysed.items() if memory.speaker})
        left_out = names.words if self._recipe.names and len(names.words) < len(words) else frozenset()
        weights = [0.0 if word in left_out else _rarity(word, frequencies) for word in words]
        own = {i: [word.occurrences(memory.counts) for word in words] for i, memory in analysed.items()}
        around = _Context(own, neighbours, self._recipe)
        return {
            i: Match(sum(map(bool, own[i])), _share(weights, around.frequencies(i), memory.length), i in names.memories)
            for i, memory in analysed.items()
        }

    def _analyse(self, memory: Memory) -> _Analysed:
        key = (memory.id, memory.version)
        with self._lock:
            found = self._cache.get(key)
        if found is None:
            counts = Counter(terms(memory.content))
            speaker = utterance(memory.content, memory.metadata).speaker
            found = _Analysed(counts, counts.total(), tuple(terms(speaker)) if speaker else ())
            if len(counts) < _CACHED_TERMS // 10:
                with self._lock:
                    self._cache[key] = found
        return found


class _Context:
    """Words' frequencies in memories and around them."""

    def __init__(self, own: Mapping[str, Sequence[int]], neighbours: Neighbours, recipe: Recipe) -> None:
        self._own = own
        self._recipe = recipe
        self._beside: dict[str, set[str]] = {}
        for memory_id, some in neighbours.items():
            for other in some:
                self._beside.setdefault(memory_id, set()).add(other)
                self._beside.setdefault(other, set()).add(memory_id)

    def frequencies(self, memory_id: str) -> Sequence[float]:
        """Return each word's number in the memory, and shares of those in its neighbours."""
        near = self._beside.get(memory_id)
        if not near or not self._recipe.near:
            return self._own[memory_id]
        further = set().union(*(self._beside[other] for other in near)) - near - {memory_id}
        shares = [(self._recipe.near, near), (self._recipe.further, further)]
        rows = [(share, self._own[other]) for share, others in shares for other in others if other in self._own]
        return [
            count + sum(share * row[word] for share, row in rows) for word, count in enumerate(self._own[memory_id])
        ]


def _size(memory: _Analysed) -> int:
    return len(memory.counts) + 1


def _rarity(word: QueryWord, frequencies: Frequencies) -> float:
    """The inverse document frequency; positive even for a word that all memories hold."""
    counts = frequencies.by_term
    holders = max(min(counts.get(term, 0) for term in terms) for terms in word.alternatives)
    return math.log(1 + (max(frequencies.documents, holders) - holders + 0.5) / (holders + 0.5))


def _share(weights: Sequence[float], occurrences: Sequence[float], length: int) -> float:
    if not any(occurrences):
        return 0.0
    norm = _K1 * (1 - _B + _B * min(_LONGEST, length / _LENGTH))
    reached = sum(
        weight * count * (_K1 + 1) / (count + norm) for weight, count in zip(weights, occurrences, strict=True)
    )
    return min(1.0, reached / sum(weights))
