"""The port of a retriever: one way to find memories and to judge how well they fit."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

from loci_dataplane.search.lexical import Match
from loci_dataplane.search.question import Question
from loci_dataplane.stores.ports import Hit

Judge = Callable[[Mapping[str, Match]], Awaitable[Mapping[str, float]]]
"""From memories and their lexical matches to each one's evidence of relevance, from 0 to 1."""


@dataclass(frozen=True, slots=True)
class Found:
    """The result of a retriever.

    Args:
        hits: memories, best first, with the retriever's own scores.
        judge: gives every candidate evidence, those of other retrievers included.
    """

    hits: Sequence[Hit]
    judge: Judge


class Retriever(Protocol):
    """Finds candidates for a question.

    Args:
        name: the search mode of this retriever alone, and its name in `degraded` and explanations.
        weight: what its evidence of 1 adds to a memory's evidence when all retrievers take part; with 0 it does not.
        weight_alone: the same in the mode of its name.
        needs_word: whether its mode returns only memories that hold a word of the query.
    """

    name: ClassVar[str]
    weight: ClassVar[float]
    weight_alone: ClassVar[float]
    needs_word: ClassVar[bool]

    @abstractmethod
    async def find(self, question: Question, limit: int) -> Found:
        """Find at most `limit` memories; any error means that this retriever is left out of the answer."""
