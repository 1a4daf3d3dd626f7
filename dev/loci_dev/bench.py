"""Shared by every benchmark: the report (a table and build/bench/NAME.json), wrk, and the CPU time of processes."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from loci_dev.tools.catalog import tool

_ROOT: Final = Path(__file__).parents[2]
_WRK_SCRIPT: Final = """
done = function(summary, latency)
  local errors = summary.errors
  local failed = errors.status + errors.connect + errors.read + errors.write + errors.timeout
  io.write(string.format('\\n{"requests": %d, "microseconds": %d, "failed": %d, "p50": %f, "p99": %f}\\n',
    summary.requests, summary.duration, failed, latency:percentile(50), latency:percentile(99)))
end
"""


@dataclass(frozen=True)
class Figure:
    """One measured value; `reference` is what the same run measured to compare it with, `ratio` value / reference."""

    name: str
    value: float
    unit: str
    reference: float | None = None
    ratio: float | None = None


def figure(name: str, value: float, unit: str, reference: float | None = None) -> Figure:
    """Return a figure rounded to four significant digits, with its ratio to the reference."""
    ratio = round(value / reference, 3) if reference else None
    return Figure(name, _rounded(value), unit, None if reference is None else _rounded(reference), ratio)


def report(name: str, figures: Sequence[Figure]) -> None:
    """Print the table and write build/bench/NAME.json."""
    table = Table("figure", "value", "reference", "ratio", title=f"{name} on {machine()}")
    for entry in figures:
        reference = "" if entry.reference is None else f"{entry.reference:g}"
        table.add_row(entry.name, f"{entry.value:g} {entry.unit}", reference, f"{entry.ratio or ''}")
    Console().print(table)
    target = _ROOT / "build" / "bench" / f"{name}.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    document = {"name": name, "commit": _commit(), "machine": machine(), "figures": [asdict(f) for f in figures]}
    target.write_text(json.dumps(document, indent=2) + "\n")
    print(f"written to {target.relative_to(_ROOT)}")


def machine() -> str:
    """Return the number of cores and the memory of this machine."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{os.cpu_count()} cores, {memory:.0f} GiB"


def cpu_seconds(process: int) -> float:
    """Return the CPU time (user and system, all threads) that a process has used so far."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Load:
    """Result of a wrk run: counts, duration in seconds, latencies in microseconds."""

    requests: int
    seconds: float
    failed: int
    p50: float
    p99: float


def wrk(url: str, seconds: float, connections: int, headers: Sequence[str] = ()) -> Load:
    """Load a URL with sequential requests on each connection; raise when any request failed."""
    script = _ROOT / "build" / "wrk.lua"
    script.parent.mkdir(exist_ok=True)
    script.write_text(_WRK_SCRIPT)
    command = [str(tool("wrk")), "-t1", f"-c{connections}", f"-d{seconds}s", "-s", str(script), url]
    for header in headers:
        command += ["-H", header]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    result: dict[str, Any] = json.loads(printed.strip().splitlines()[-1])
    if result["failed"]:
        raise RuntimeError(f"{result['failed']} of {result['requests']} requests failed:\n{printed}")
    return Load(result["requests"], result["microseconds"] / 1e6, 0, result["p50"], result["p99"])


def _rounded(value: float) -> float:
    return float(f"{value:.4g}")


def _commit() -> str:
    command = ["git", "-C", str(_ROOT), "describe", "--always", "--dirty"]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
