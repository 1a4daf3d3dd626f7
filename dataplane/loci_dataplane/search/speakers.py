"""Which speakers a query names.

In a conversation every turn of a speaker says `I`, and many turns address the other one by name. So a speaker's name in
a query tells whose turns are asked for and little about which: it is no word that a memory should hold.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from loci_dataplane.text.query import QueryWord

Name = tuple[str, ...]
"""The index terms of a speaker's name."""


@dataclass(frozen=True, slots=True)
class Naming:
    """The result.

    Args:
        words: those of the query's words that belong to speakers' names.
        memories: memories of the only speaker that is named; none if there are several.
    """

    words: frozenset[QueryWord] = frozenset()
    memories: frozenset[str] = field(default_factory=frozenset)


def naming(words: Sequence[QueryWord], speakers: Mapping[str, Name]) -> Naming:
    """Find the names in a query.

    Args:
        words: of the query.
        speakers: by memory, the name of its speaker.
    """
    named = {name: found for name in set(speakers.values()) if (found := _found(words, name))}
    if not named:
        return Naming()
    mine = frozenset(i for i, name in speakers.items() if name in named) if len(named) == 1 else frozenset()
    return Naming(frozenset().union(*named.values()), mine)


def _found(words: Sequence[QueryWord], name: Name) -> frozenset[QueryWord]:
    counts = Counter(name)
    return frozenset(word for word in words if word.occurrences(counts))
