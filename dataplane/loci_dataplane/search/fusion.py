"""From each retriever's evidence to one ranking: pure arithmetic.

The evidence for a memory is the weighted sum of what the retrievers say, each from 0 to 1 on a scale of its own that
does not depend on the other candidates. For a memory of the speaker whom the query names it is increased by a share,
for a question reduced by one. In a session the answer often stands beside the memory that matches, so each memory also
gains a share of its better neighbour's evidence, and more of a question's directly before it. `relevance.score` turns
evidence into the score that is answered, and memories are ranked by it.
On conversations such a blend beats reciprocal rank fusion, and is no worse than one of scores scaled over each answer's
candidates, which could not be compared between answers (docs/benchmarks.md).

Cost: linear in candidates (a few hundred), below a millisecond. Failure modes: with one retriever left, scores are
those of its mode; a memory whose vector is not indexed yet scores by its words alone; in a session that repeats itself
neighbours lift each other, at most by `Recipe.spread`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from loci_dataplane.search.lexical import Match, Neighbours
from loci_dataplane.search.recipe import Recipe
from loci_dataplane.search.relevance import score


@dataclass(frozen=True, slots=True)
class Ranked:
    """A memory's place.

    Args:
        score: from 0 to 1.
        evidence: by retriever, from 0 to 1.
        neighbour: evidence gained from neighbours.
        speaker: evidence gained because the query names its speaker.
    """

    memory_id: str
    score: float
    evidence: Mapping[str, float] = field(default_factory=dict)
    neighbour: float = 0.0
    speaker: float = 0.0


def fuse(
    evidence: Mapping[str, Mapping[str, float]],
    weights: Mapping[str, float],
    matches: Mapping[str, Match],
    neighbours: Neighbours,
    recipe: Recipe,
) -> list[Ranked]:
    """Rank the candidates, best first.

    Args:
        evidence: by retriever, each candidate's evidence.
        weights: of the retrievers.
        matches: each candidate's words of the query.
        neighbours: of candidates, those beside them in their sessions; only other candidates gain.
        recipe: further weights.
    """
    sums = dict.fromkeys(matches, 0.0)
    for retriever, values in evidence.items():
        for memory_id, value in values.items():
            sums[memory_id] += weights[retriever] * value
    spoken = {i: recipe.speaker * total for i, total in sums.items() if matches[i].named}
    sums |= {i: sums[i] + gain for i, gain in spoken.items()}
    sums |= {i: (1 - recipe.question) * total for i, total in sums.items() if matches[i].asks}
    gains = _gains(sums, matches, neighbours, recipe)
    reach = 1 + recipe.speaker if spoken else 1.0
    ranked = [
        Ranked(
            i,
            score((total + gains.get(i, 0.0)) / reach, holds_word=matches[i].held > 0),
            {name: values[i] for name, values in evidence.items() if i in values},
            gains.get(i, 0.0),
            spoken.get(i, 0.0),
        )
        for i, total in sums.items()
    ]
    return sorted(ranked, key=lambda r: (-r.score, r.memory_id))


def _gains(
    sums: Mapping[str, float], matches: Mapping[str, Match], neighbours: Neighbours, recipe: Recipe
) -> dict[str, float]:
    gains: dict[str, float] = {}
    answers: dict[str, float] = {}
    for memory_id, beside in neighbours.items():
        for neighbour in beside:
            if memory_id in sums and neighbour in sums:
                gains[neighbour] = max(gains.get(neighbour, 0.0), recipe.spread * sums[memory_id])
                if matches[memory_id].asks and matches[memory_id].order < matches[neighbour].order:
                    answers[neighbour] = recipe.answer * sums[memory_id]
    return {memory_id: gain + answers.get(memory_id, 0.0) for memory_id, gain in gains.items()}
