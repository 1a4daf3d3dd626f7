"""What a tenant costs the operator on a real API server, under its own account: `make bench-operator`.

Creates LOCI_BENCH_TENANTS (1,000) tenants at once and waits until each has every object and its status; then restarts
the operator, and watches a minute in which nothing changes. Draws the progress as build/bench/operator.svg. There is no
node: pods stay pending. A module named operator would hide the standard library's.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import httpx

from loci_contract.names import SYSTEM_NAMESPACE
from loci_dev import bench, chart
from loci_dev.cluster.accounts import account
from loci_dev.cluster.controlplane import ControlPlane, control_plane
from loci_dev.rigs.pod import answers
from loci_dev.rigs.processes import free_port, running, wait_until

TENANTS: Final = int(os.environ.get("LOCI_BENCH_TENANTS", "1000"))
STEADY_SECONDS: Final = float(os.environ.get("LOCI_BENCH_STEADY_SECONDS", "60"))
_READY: Final = '{range .items[*]}{.status.conditions[?(@.type=="NamespaceReady")].status}{"\\n"}{end}'
_WRITES: Final = ("PATCH", "POST", "PUT", "DELETE")
Curve = list[tuple[float, int]]


class Operator:
    """A running operator process."""

    def __init__(self, process: int, port: int) -> None:
        self.process = process
        self._port = port

    def writes(self) -> float:
        """Writes to the API server so far, without renewals of the Lease."""
        lines = httpx.get(f"http://127.0.0.1:{self._port}/metrics", timeout=30).text.splitlines()
        counts = (line.rsplit(" ", 1) for line in lines if line.startswith("loci_operator_api_calls_total"))
        return sum(float(count) for name, count in counts if any(f'verb="{verb}"' in name for verb in _WRITES))

    def cpu(self) -> float:
        """CPU time so far, seconds."""
        return bench.cpu_seconds(self.process)

    def megabytes(self) -> float:
        """Resident memory."""
        pages = int(Path(f"/proc/{self.process}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


@contextlib.contextmanager
def operator(kubeconfig: Path, log: Path) -> Iterator[Operator]:
    """Run an operator that leads."""
    port = free_port()
    environment = {
        "KUBECONFIG": str(kubeconfig),
        "LOCI_IMAGE": "loci:bench",
        "LOCI_EMBEDDER_URL": "http://loci-embedder.loci-system.svc:8081",
        "LOCI_HEALTH_PORT": str(port),
        "LOCI_WORKERS": "16",
    }
    is_up, before = answers(f"http://127.0.0.1:{port}/healthz"), _count(log, "leading")

    def leads() -> bool:
        return is_up() and _count(log, "leading") > before

    command = [sys.executable, "-m", "loci_operator"]
    with running(command, log, ready=leads, environment=environment, seconds=120) as process:
        yield Operator(process.pid, port)


def _count(log: Path, event: str) -> int:
    return log.read_text().count(f'"event":"{event}"') if log.exists() else 0


def prepare(plane: ControlPlane) -> Path:
    """Install what the operator needs; return its kubeconfig."""
    plane.kubectl("create", "namespace", SYSTEM_NAMESPACE)
    plane.kubectl("apply", "--server-side", "-f", str(chart.CHART / "crds"))
    plane.kubectl("wait", "crd", "--all", "--for=condition=Established", "--timeout=60s")
    plane.kubectl("apply", "-f", str(chart.CHART / "files" / "tiers.yaml"))
    return account(plane, "operator")


def create(plane: ControlPlane, count: int) -> Curve:
    """Create tenants and wait for them; return how many were made after how many seconds."""
    kind = {"apiVersion": "loci.dev/v1alpha1", "kind": "MemoryTenant"}
    items = [{**kind, "metadata": {"name": f"bench-{n:05}"}, "spec": {"tier": "free"}} for n in range(count)]
    started, curve = time.monotonic(), [(0.0, 0)]
    with tempfile.NamedTemporaryFile("w", suffix=".json") as manifest:
        json.dump({"apiVersion": "v1", "kind": "List", "items": items}, manifest)
        manifest.flush()
        plane.kubectl("create", "-f", manifest.name)

    def all_are_made() -> bool:
        made = plane.kubectl("get", "memorytenants", f"-o=jsonpath={_READY}").count("True")
        curve.append((time.monotonic() - started, made))
        return made == count

    wait_until(all_are_made, f"{count} tenants are made", 1800, 1.0)
    return curve


def draw(curve: Curve, target: Path) -> None:
    """Draw tenants over seconds as an SVG."""
    width, height, longest, most = 640, 320, curve[-1][0], curve[-1][1]
    points = " ".join(f"{40 + 560 * at / longest:.1f},{280 - 240 * made / most:.1f}" for at, made in curve)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        'font-family="sans-serif" font-size="12">'
        f'<rect width="{width}" height="{height}" fill="white"/>'
        '<path d="M40 40V280H600" fill="none" stroke="#888"/>'
        f'<polyline points="{points}" fill="none" stroke="#2563eb" stroke-width="2"/>'
        f'<text x="40" y="30">{most} tenants with every object and status</text>'
        f'<text x="600" y="300" text-anchor="end">{longest:.0f} s</text></svg>\n'
    )


def main() -> None:
    """Measure, and report."""
    with tempfile.TemporaryDirectory() as folder, control_plane(Path(folder) / "plane") as plane:
        kubeconfig, log = prepare(plane), Path(folder) / "operator.log"
        with operator(kubeconfig, log) as first:
            before = first.cpu()
            curve = create(plane, TENANTS)
            cpu = first.cpu() - before
        started = time.monotonic()
        with operator(kubeconfig, log) as second:
            restart = time.monotonic() - started
            writes, before = second.writes(), second.cpu()
            time.sleep(STEADY_SECONDS)
            steady, share = second.writes() - writes, (second.cpu() - before) / STEADY_SECONDS
            memory = second.megabytes()
    draw(curve, Path("build/bench/operator.svg"))
    renewals = STEADY_SECONDS / 1.5
    bench.report(
        "operator",
        [
            bench.figure("a tenant with every object and status", curve[-1][0] / TENANTS, "s", 0.06),
            bench.figure("the operator's CPU for a tenant", cpu / TENANTS * 1000, "ms", 10),
            bench.figure("restart until it leads, imports included", restart, "s"),
            bench.figure(
                f"writes in {STEADY_SECONDS:g} s at rest, renewals of the Lease included", steady, "", renewals
            ),
            bench.figure("share of a core at rest", share * 100, "%", 0.5),
            bench.figure("resident memory", memory, "MB", 80),
        ],
    )


if __name__ == "__main__":
    main()
