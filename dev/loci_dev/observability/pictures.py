"""A picture of each dashboard in docs/images/, from a real run: drawn by matplotlib, as Grafana cannot be had here."""

from __future__ import annotations

import math
import re
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

import httpx
import matplotlib as mpl
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

from loci_dev.observability.dashboards import all_dashboards
from loci_dev.observability.panels import Dashboard, Panel, Query
from loci_dev.observability.run import Run, observed

_FOLDER: Final = Path(__file__).parents[3] / "docs" / "images"
_SECONDS: Final = 60
_COLUMNS: Final = 2
_SHOWN: Final = "acme"


def main() -> int:
    """Run, load for a minute, draw."""
    mpl.use("agg")
    _FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="loci-pictures-") as folder, observed(Path(folder)) as run:
        started = time.time()
        round_ = 0
        while time.time() < started + _SECONDS:
            run.load(round_)
            round_ += 1
        for dashboard in all_dashboards():
            target = _FOLDER / f"dashboard-{dashboard.name}.png"
            _draw(dashboard, run, started, target)
            print(f"written: {target}")
    return 0


def _draw(dashboard: Dashboard, run: Run, started: float, target: Path) -> None:
    rows = math.ceil(len(dashboard.panels) / _COLUMNS)
    figure, axes = plt.subplots(rows, _COLUMNS, figsize=(13, 2.6 * rows), squeeze=False, layout="constrained")
    figure.suptitle(dashboard.title)
    for axis in axes.flat[len(dashboard.panels) :]:
        axis.axis("off")
    for axis, panel in zip(axes.flat, dashboard.panels, strict=False):
        _panel(axis, panel, run, started)
    figure.savefig(target, dpi=80)
    plt.close(figure)


def _panel(axis: Axes, panel: Panel, run: Run, started: float) -> None:
    axis.set_title(f"{panel.title} [{panel.unit}]", fontsize=9, loc="left")
    axis.tick_params(labelsize=7)
    for query in panel.queries:
        for series in _series(run, query, started):
            points = [(float(at) - started, float(value)) for at, value in series["values"] if value != "NaN"]
            axis.plot(
                [at for at, _ in points],
                [value for _, value in points],
                label=_name(query, series["metric"]),
                linewidth=1,
            )
    if axis.lines:
        axis.legend(fontsize=6, loc="upper left", ncols=3)
    axis.set_ylim(bottom=0)


def _name(query: Query, labels: dict[str, str]) -> str:
    return re.sub(r"\{\{(\w+)\}\}", lambda found: labels.get(found[1], ""), query.legend)


def _series(run: Run, query: Query, started: float) -> list[dict[str, Any]]:
    parameters: dict[str, str | float] = {
        "query": query.expr.replace("$tenant", _SHOWN),
        "start": started,
        "end": time.time(),
        "step": 1,
    }
    response = httpx.get(f"{run.prometheus.url}/api/v1/query_range", params=parameters, timeout=30)
    response.raise_for_status()
    found: list[dict[str, Any]] = response.json()["data"]["result"]
    return found


if __name__ == "__main__":
    sys.exit(main())
