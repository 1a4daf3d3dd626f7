"""Calibrate scores: measure the constants of `search/relevance.py` and the vector retriever on the retrieval task.

Each question is searched in its own conversation, where the relevant turns are known, and in an unrelated one.
`make bench-quality` reports precision and recall at selected scores.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import numpy as np

from loci_dataplane.search.relevance import FULL, THRESHOLD
from loci_dev.bench import Figure, figure, report
from loci_dev.retrieval_task import Answer, Result, answers, run_task, task_folder
from loci_dev.rigs.standalone import serve
from loci_embedder.loading import DEFAULT_MODEL, manifest

_PLATEAU: Final = 0.9
"""Fraction of the best precision that a score of 0.8 corresponds to."""


def main() -> int:
    """Measure and report the values of the constants."""
    if (task := task_folder()) is None:
        print("bench-calibration: skipped: no retrieval task beside the checkout (set LOCI_QUALITY_TASK)")
        return 0
    with tempfile.TemporaryDirectory(prefix="loci-calibration-") as name, serve(Path(name)) as served:
        run_task(task, served, Path(name))
        own = answers(task, served, Path(name), foreign=False)
        foreign = answers(task, served, Path(name), foreign=True)
    report("calibration", list(_constants(own, foreign)))
    return 0


def _constants(own: Sequence[Answer], foreign: Sequence[Answer]) -> Iterator[Figure]:
    cosines = manifest(DEFAULT_MODEL).cosines
    relevant = [r.cosine for answer in own for r in answer.results if r.relevant and r.cosine is not None]
    nearest = [max(r.cosine or 0.0 for r in answer.results) for answer in foreign]
    yield figure("cosine of an answer, median", float(np.median(relevant)), "")
    yield figure("best cosine in a foreign conversation, median", float(np.median(nearest)), "")
    yield figure("CENTRE: half-way", float(np.median(relevant) + np.median(nearest)) / 2, "", cosines.centre)
    yield figure("WIDTH: standard deviation of the former", float(np.std(relevant)), "", cosines.width)
    wordless = [max((r.evidence for r in answer.results if not r.keyword), default=0.0) for answer in foreign]
    for share in (0.25, 0.5, 0.75, 0.9):
        reached = float(np.quantile(wordless, share))
        yield figure(f"best evidence without a word in a foreign conversation, {share:.0%}", reached, "", THRESHOLD)
    plateau = _plateau([r for answer in own for r in answer.results])
    yield figure("FULL: where precision no longer grows", plateau, "", FULL)


def _plateau(results: Sequence[Result]) -> float:
    """Smallest evidence at which precision is close to its maximum."""
    ranked = sorted(results, key=lambda r: -r.evidence)
    precision = np.cumsum([r.relevant for r in ranked]) / np.arange(1, len(ranked) + 1)
    enough = precision[100:] >= _PLATEAU * precision[100:].max()  # fewer than a hundred results are too noisy
    return ranked[100 + int(np.flatnonzero(enough)[-1])].evidence


if __name__ == "__main__":
    sys.exit(main())
