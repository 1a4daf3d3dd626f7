"""Memory of an idle tenant by storage profile, of each store, and the time from a pod's start to its readiness.

Resident memory is what the kernel counts for a process and its children; shares of libraries that several pods map are
counted once in the figure for 100 tenants, which is the servers and 100 times what one more pod adds (proportional
set size, measured over `PODS` pods on one machine). Each pod has stored and found one memory before it is measured.
"""

from __future__ import annotations

import contextlib
import re
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from loci_dev.bench import Figure, figure, report
from loci_dev.rigs.pod import Pod, embedder
from loci_dev.rigs.processes import children, wait_until
from loci_dev.rigs.profiles import PROFILES, Profile, profile

PODS: Final = 4
TENANTS: Final = 100
_SEARCH: Final = {"query": "an otter"}


def main() -> None:
    """Measure and report."""
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory() as folder, embedder(Path(folder)) as url:
        for name in PROFILES:
            figures += _of(name, Path(folder), url)
    report("footprint", figures)


def _of(name: str, folder: Path, embedder_url: str) -> list[Figure]:
    stores_folder = folder / name
    stores_folder.mkdir()
    with profile(name, stores_folder) as stores, contextlib.ExitStack() as pods:
        servers = dict(_servers(stores))
        tenants = [f"{name}{number}" for number in range(1 if stores.neo4j else PODS)]  # Neo4j belongs to one
        started = [_start(pods, stores, tenant, embedder_url) for tenant in tenants]
        resident = statistics.median(_memory(pid, "Rss") for pid, _ in started)
        figures = [
            figure(f"{name}: idle pod, resident", resident, "MB"),
            figure(f"{name}: start to ready, median", statistics.median(s for _, s in started), "s"),
            *(figure(f"{name}: {server}", _tree(pid), "MB") for server, pid in servers.items()),
        ]
        if not stores.neo4j:
            proportional = statistics.mean(_memory(pid, "Pss") for pid, _ in started)
            total = sum(map(_tree, servers.values())) + TENANTS * proportional
            figures.append(figure(f"{name}: {TENANTS} idle tenants and their servers", total, "MB"))
        return figures


def _start(pods: contextlib.ExitStack, stores: Profile, tenant: str, embedder_url: str) -> tuple[int, float]:
    """Start a pod, use it once, and return its PID and the seconds until it was ready."""
    pod = Pod(stores.folder, embedder_url, tenant=tenant, environment=stores.environment(tenant))
    started = time.perf_counter()
    pid = pods.enter_context(pod.running())
    seconds = time.perf_counter() - started
    with pod.client() as client:
        client.post("/v1/memories", json={"content": "an otter"}).raise_for_status()
        wait_until(lambda: bool(client.post("/v1/memories/search", json=_SEARCH).json()["results"]), "it is found")
    return pid, seconds


def _servers(stores: Profile) -> Iterator[tuple[str, int]]:
    if stores.postgres:
        yield "PostgreSQL", stores.postgres.process.pid
    if stores.chroma:
        yield "Chroma server", stores.chroma.process.pid
    if stores.neo4j:
        yield "Neo4j", stores.neo4j.process.pid


def _tree(pid: int) -> float:
    """Proportional memory of a server and its children, MB."""
    return sum(_memory(part, "Pss") for part in (pid, *children(pid)))


def _memory(pid: int, kind: str) -> float:
    found = re.search(rf"^{kind}:\s+(\d+) kB", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE)
    return int(found[1]) / 1024 if found else 0.0


if __name__ == "__main__":
    main()
