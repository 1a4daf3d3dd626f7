"""How well search finds the right memories: a retrieval task on real conversations, driven through `loci serve`.

The task is no part of this repository: a folder with `run_http.py`, beside the checkout in `shared/quality` or where
LOCI_QUALITY_TASK says. Each conversation is a tenant, each turn a memory, each question a search.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from loci_dev.bench import Figure, figure, report
from loci_dev.rigs.standalone import ADMIN_KEY, serve

_BESIDE = Path(__file__).parents[2] / "shared" / "quality"


def main() -> int:
    """Run the task and report recall, foreign results and latencies."""
    task = Path(os.environ.get("LOCI_QUALITY_TASK", _BESIDE))
    if not (task / "run_http.py").exists():
        print(f"bench-quality: skipped: no retrieval task in {task.name}/ beside the checkout (set LOCI_QUALITY_TASK)")
        return 0
    with tempfile.TemporaryDirectory(prefix="loci-quality-") as folder, serve(Path(folder)) as served:
        out = Path(folder) / "result.json"
        command = [sys.executable, str(task / "run_http.py"), "--base-url", served.url, "--admin-key", ADMIN_KEY]
        options = ["--tier", "enterprise", "--state", f"{folder}/state.json", "--out", str(out)]
        subprocess.run([*command, *options], check=True)
        report("quality", _figures(json.loads(out.read_text())["variants"]["default"]))
    return 0


def _figures(result: dict[str, Any]) -> list[Figure]:
    metrics, found = result["metrics"], []
    for category, values in metrics.items():
        found.append(figure(f"recall@10, {category}", values["recall@10"], "", metrics["overall"]["recall@10"]))
    found.append(figure("MRR, overall", metrics["overall"]["mrr"], ""))
    return found


if __name__ == "__main__":
    sys.exit(main())
