"""How much of a query's words a memory holds: an absolute measure, unlike an index's BM25.

Each word counts by its rarity in the tenant (inverse document frequency) and by its frequency in the memory, which
saturates and is weighed against the memory's length, as in BM25. In a session the words around belong to what is said,
so a share of the frequencies in neighbours that are candidates, too, is added. The sum is divided by the best that the
query can reach, so it is comparable between queries and tenants. Names of speakers count apart (`speakers`).

A memory's terms are counted again for each search; counts of recent memories are cached. Cost: 40 µs for a memory of
30 words that is not in the cache, 5 µs for one that is.
"""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Final

import numpy as np
from cachetools import LRUCache
from numpy.typing import NDArray

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
"""A longer memory is treated as so many times that length: it is long because it covers several topics."""
_LEAST: Final = 1e-9
"""In place of the sum of no weights."""
_QUESTION_MARKS: Final = ("?", "\N{FULLWIDTH QUESTION MARK}", "\N{ARABIC QUESTION MARK}", '?"')
_CACHED_TERMS: Final = 100_000
"""Different terms of all cached memories together: about 10 MB."""


Neighbours = Mapping[str, Iterable[str]]
"""By memory, those directly beside it in its session."""
Counts = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Match:
    """A memory's words of a query.

    Args:
        held: number of the query's words that the memory holds.
        share: weight of those words in the memory, from 0 to 1, where 1 is the best that the query can reach.
        named: whether the memory's speaker is the only one that the query names.
        asks: whether the memory is a question.
        order: the memory's place in time.
    """

    held: int
    share: float
    named: bool = False
    asks: bool = False
    order: int = 0


@dataclass(frozen=True, slots=True)
class _Analysed:
    """A memory's terms by number, their sum, the terms of its speaker's name, and whether it is a question."""

    counts: Counter[str]
    length: int
    speaker: Name
    asks: bool


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
        rows = list(memories)
        analysed = {memory.id: self._analyse(memory) for memory in rows}
        names = naming(words, {i: memory.speaker for i, memory in analysed.items() if memory.speaker})
        left_out = names.words if self._recipe.names and len(names.words) < len(words) else frozenset()
        weights = [0.0 if word in left_out else _rarity(word, frequencies) for word in words]
        own = np.array([[word.occurrences(m.counts) for word in words] for m in analysed.values()], dtype=np.float64)
        own = own.reshape(len(analysed), len(words))
        around = own + _around(own, list(analysed), neighbours, self._recipe)
        shares = _shares(np.array(weights), around, np.array([memory.length for memory in analysed.values()]))
        held = np.count_nonzero(own, axis=1)
        return {
            row.id: Match(number, share, row.id in names.memories, analysed[row.id].asks, row.order)
            for row, number, share in zip(rows, held.tolist(), shares.tolist(), strict=True)
        }

    def _analyse(self, memory: Memory) -> _Analysed:
        key = (memory.id, memory.version)
        with self._lock:
            found = self._cache.get(key)
        if found is None:
            counts = Counter(terms(memory.content))
            speaker = utterance(memory.content, memory.metadata).speaker
            asks = memory.content.rstrip().endswith(_QUESTION_MARKS)
            found = _Analysed(counts, counts.total(), tuple(terms(speaker)) if speaker else (), asks)
            if len(counts) < _CACHED_TERMS // 10:
                with self._lock:
                    self._cache[key] = found
        return found


def _around(own: Counts, ids: Sequence[str], neighbours: Neighbours, recipe: Recipe) -> Counts:
    """Return what is added to each word's frequency: shares of those in the neighbours and in their neighbours."""
    rows = {memory_id: row for row, memory_id in enumerate(ids)}
    beside: dict[str, set[str]] = {}
    for memory_id, some in neighbours.items():
        for other in some:
            beside.setdefault(memory_id, set()).add(other)
            beside.setdefault(other, set()).add(memory_id)
    near = [(rows[i], rows[j]) for i, some in beside.items() for j in some if i in rows and j in rows]
    further = [
        (rows[first], rows[last])
        for some in beside.values()
        for first, last in itertools.permutations(some, 2)
        if first in rows and last in rows and last not in beside[first]
    ]
    added = np.zeros_like(own)
    for share, pairs in ((recipe.near, near), (recipe.further, further)):
        if pairs:
            to, from_ = np.array(pairs).T
            np.add.at(added, to, share * own[from_])
    return added


def _size(memory: _Analysed) -> int:
    return len(memory.counts) + 1


def _rarity(word: QueryWord, frequencies: Frequencies) -> float:
    """The inverse document frequency; positive even for a word that all memories hold."""
    counts = frequencies.by_term
    holders = max(min(counts.get(term, 0) for term in terms) for terms in word.alternatives)
    return math.log(1 + (max(frequencies.documents, holders) - holders + 0.5) / (holders + 0.5))


def _shares(weights: Counts, frequencies: Counts, lengths: Counts) -> Counts:
    """Return each memory's share of the best that words of these weights can reach."""
    norms = _K1 * (1 - _B + _B * np.minimum(_LONGEST, lengths / _LENGTH))
    saturated = frequencies * (_K1 + 1) / (frequencies + norms[:, None])
    shares: Counts = np.minimum(1.0, saturated @ weights / max(weights.sum(), _LEAST))
    return shares
