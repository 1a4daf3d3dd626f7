"""From each retriever's hits to one ranking: pure arithmetic.

Scores are scaled to 0..1 over a retriever's hits and blended; then each memory gains a share of its better neighbour
in the session, since an answer often stands beside the turn that matches. Both beat reciprocal rank fusion on
conversations (docs/benchmarks.md).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from loci_dataplane.stores.ports import Hit

WEIGHTS: Final[Mapping[str, float]] = {"vector": 0.55, "keyword": 0.45}
STRONG: Final[Mapping[str, float]] = {"keyword": 1.0}
"""From which best score on a retriever's hits count in full. BM25 gives far less when the query's words are in most
memories, as in a small collection: then they say nothing, and scaling alone would make noise look like evidence."""
SPREAD: Final = 0.35
"""The share of the better neighbour's score."""


@dataclass(frozen=True, slots=True)
class Ranked:
    """A memory's place: its score from 0 to 1, and where that comes from."""

    memory_id: str
    score: float
    parts: dict[str, dict[str, float]] = field(default_factory=dict)
    neighbour: float = 0.0


def fuse(hits: Mapping[str, Sequence[Hit]], neighbours: Mapping[str, Sequence[str]]) -> list[Ranked]:
    """Blend the hits of one or more retrievers, best first; neighbours that nothing hit take part too."""
    total = sum(WEIGHTS[retriever] for retriever in hits)
    scaled = {retriever: _scale(found, STRONG.get(retriever)) for retriever, found in hits.items()}
    blended: dict[str, float] = {}
    for retriever, scores in scaled.items():
        for memory_id, score in scores.items():
            blended[memory_id] = blended.get(memory_id, 0.0) + WEIGHTS[retriever] / total * score
    gains: dict[str, float] = {}
    for memory_id, score in blended.items():
        for neighbour in neighbours.get(memory_id, ()):
            gains[neighbour] = max(gains.get(neighbour, 0.0), SPREAD * score)
    parts = _parts(hits)
    sums = {i: blended.get(i, 0.0) + gains.get(i, 0.0) for i in blended.keys() | gains.keys()}
    return [
        Ranked(i, min(1.0, sums[i]), parts.get(i, {}), gains.get(i, 0.0))
        for i in sorted(sums, key=lambda i: (-sums[i], i))
    ]


def _scale(hits: Sequence[Hit], strong: float | None) -> dict[str, float]:
    """Scores from 0 (the worst hit) to 1 (the best), or to less when even the best is weak."""
    if not hits:
        return {}
    best, worst = max(h.score for h in hits), min(h.score for h in hits)
    width = best - worst
    strength = 1.0 if strong is None else min(1.0, max(0.0, best / strong))
    return {h.memory_id: strength * ((h.score - worst) / width if width else 1.0) for h in hits}


def _parts(hits: Mapping[str, Sequence[Hit]]) -> dict[str, dict[str, dict[str, float]]]:
    parts: dict[str, dict[str, dict[str, float]]] = {}
    for retriever, found in hits.items():
        for rank, hit in enumerate(found, 1):
            parts.setdefault(hit.memory_id, {})[retriever] = {"rank": rank, "score": hit.score}
    return parts
