"""Measure retrieval quality on a task of real conversations, through the HTTP API of `loci serve`."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from loci_dev.bench import Figure, figure, report
from loci_dev.retrieval_task import answers, at_thresholds, run_task, task_folder
from loci_dev.rigs.standalone import serve

_SCORES: Final = (0.3, 0.5, 0.8)
"""Scores for which docs/benchmarks.md reports precision and recall."""


def main() -> int:
    """Run the task; report recall, latency, and precision and recall by score."""
    if (task := task_folder()) is None:
        print("bench-quality: skipped: no retrieval task beside the checkout (set LOCI_QUALITY_TASK)")
        return 0
    with tempfile.TemporaryDirectory(prefix="loci-quality-") as name, serve(Path(name)) as served:
        result = run_task(task, served, Path(name))
        own = answers(task, served, Path(name), foreign=False)
    report("quality", [*_figures(result), *at_thresholds(own, _SCORES)])
    return 0


def _figures(result: dict[str, Any]) -> Iterator[Figure]:
    metrics = result["metrics"]
    for category, values in metrics.items():
        yield figure(f"recall@10, {category}", values["recall@10"], "", metrics["overall"]["recall@10"])
    yield figure("hit@10, overall", metrics["overall"]["hit@10"], "")
    yield figure("MRR, overall", metrics["overall"]["mrr"], "")


if __name__ == "__main__":
    sys.exit(main())
