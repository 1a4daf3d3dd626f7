"""The steps of a ranking and their weights, each of which 0 switches off (`make bench-ablation` measures that)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Recipe:
    """How candidates are ranked, beside the retrievers' weights.

    Args:
        names: whether the names of speakers are left out of the words that a memory should hold.
        speaker: share by which evidence grows for a memory whose speaker is the only one that the query names.
        near: share of the words of a memory's neighbours in the session that counts as its own.
        further: the same for their neighbours.
        spread: share of the better neighbour's evidence that a memory gains.
        question: share of its evidence that a memory loses because it is a question, which seldom holds an answer.
        answer: share of the evidence of a question directly before it that a memory gains.
    """

    names: bool = True
    speaker: float = 0.3
    near: float = 0.3
    further: float = 0.15
    spread: float = 0.15
    question: float = 0.1
    answer: float = 0.1


DEFAULT = Recipe()
