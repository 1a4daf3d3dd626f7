"""`make load`: a mix of requests over many tenants, through Envoy and the policy to each tenant's own pod.

Arrivals are open-loop: their times are drawn beforehand (a Poisson process), and a latency counts from the time at
which a request was due, so that a stall shows in every request that it held up. 70 % search, 20 % write,
5 % list and 5 % delete (a write, while the tenant has nothing to delete); the tenant is drawn by Zipf's law, tiers by
turns. Load, platform and pods share one machine, so the figures are a lower bound. The environment variables
LOCI_LOAD_{TENANTS,SECONDS,RATE,CONNECTIONS} change the run; a pod takes some 150 MB.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import resource
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import aiohttp
import matplotlib as mpl
import numpy as np
from matplotlib import pyplot as plt

from loci_contract.registry import Limits
from loci_dev.rigs.ingress import Tenant
from loci_dev.rigs.platform import Platform, platform
from loci_resources.shipped import default_tiers

_DOCS: Final = Path(__file__).parents[2] / "docs"
_MIX: Final = {"search": 70, "write": 20, "list": 5, "delete": 5}
_TIERS: Final = ("free", "pro", "enterprise")
_ZIPF: Final = 1.1
_NOTES: Final = (
    "Ada moved to Lisbon",
    "Sam rides an e-bike",
    "Grace arrives on Thursday",
    "the cat sleeps in the attic",
)
_TIMEOUT: Final = aiohttp.ClientTimeout(total=30)
_OBJECTIVE_MS: Final = 200
_REFUSED: Final = 400
_KINDS: Final = ("envoy", "loci_policy", "loci_embedder", "redis", "loci_dataplane")

Usage = dict[str, tuple[int, float, int]]
"""By kind of process: number, MB, descriptors."""


@dataclass(frozen=True)
class Arrival:
    """A request that is due `at` seconds after the start."""

    at: float
    tenant: int
    operation: str


@dataclass
class Result:
    """Latencies in ms by operation and by tier, of what was served; statuses by tier."""

    latencies: dict[str, list[float]] = field(default_factory=lambda: {name: [] for name in _MIX})
    by_tier: dict[str, list[float]] = field(default_factory=lambda: {name: [] for name in _TIERS})
    statuses: dict[str, Counter[int]] = field(default_factory=lambda: {name: Counter() for name in _TIERS})

    def add(self, operation: str, tier: str, status: int, ms: float) -> None:
        """Count one response; 0 stands for none."""
        self.statuses[tier][status] += 1
        if not _failed(status):
            self.latencies[operation].append(ms)
            self.by_tier[tier].append(ms)


def main() -> None:
    """Run, print the report, and write it with its picture into docs/."""
    tenants, seconds = _setting("TENANTS", 100), _setting("SECONDS", 120)
    rate, connections = _setting("RATE", 100), _setting("CONNECTIONS", 1_000)
    with (
        tempfile.TemporaryDirectory(prefix="loci-load-") as folder,
        platform(Path(folder)) as loci,
        _tenants(loci, tenants) as known,
    ):
        before = _memory()
        result = asyncio.run(_run(loci.url, known, _arrivals(tenants, seconds, rate), connections))
        after = _memory()
    run = f"{tenants} tenants, {rate} requests/s for {seconds} s, up to {connections} connections"
    text = _report(result, run, before, after)
    print(text)
    (_DOCS / "load.md").write_text(text)
    _draw(result, run)


def _failed(status: int) -> bool:
    return not 0 < status < _REFUSED


def _setting(name: str, default: int) -> int:
    return int(os.environ.get(f"LOCI_LOAD_{name}", default))


def _tier(tenant: int) -> str:
    return _TIERS[tenant % len(_TIERS)]


@contextlib.contextmanager
def _tenants(loci: Platform, count: int) -> Iterator[list[Tenant]]:
    """Run a pod for each tenant, with its tier's limits."""
    tiers = {tier.metadata.name: tier.spec for tier in default_tiers()}
    with contextlib.ExitStack() as stack:
        known = []
        for number in range(count):
            spec = tiers[_tier(number)]
            limits = Limits(
                requests_per_minute=spec.requests_per_minute,
                burst=spec.burst,
                max_memories=spec.max_memories,
                max_graph_nodes=spec.max_graph_nodes,
            )
            tenant, _ = stack.enter_context(loci.tenant(f"load-{number}", limits=limits, tier=_tier(number)))
            known.append(tenant)
        yield known


def _arrivals(tenants: int, seconds: int, rate: int) -> list[Arrival]:
    draw = random.Random(7)  # noqa: S311 - the same run each time
    weights = [1 / rank**_ZIPF for rank in range(1, tenants + 1)]
    arrivals, at = [], 0.0
    while (at := at + draw.expovariate(rate)) < seconds:
        (tenant,) = draw.choices(range(tenants), weights)
        (operation,) = draw.choices(list(_MIX), list(_MIX.values()))
        arrivals.append(Arrival(at, tenant, operation))
    return arrivals


async def _run(url: str, tenants: Sequence[Tenant], arrivals: Sequence[Arrival], connections: int) -> Result:
    result, stored = Result(), [list[str]() for _ in tenants]
    connector = aiohttp.TCPConnector(limit=connections)
    async with (
        aiohttp.ClientSession(url, connector=connector, timeout=_TIMEOUT) as client,
        asyncio.TaskGroup() as group,
    ):
        started = time.monotonic()
        for arrival in arrivals:
            await asyncio.sleep(started + arrival.at - time.monotonic())
            group.create_task(_send(client, tenants[arrival.tenant], arrival, stored[arrival.tenant], result, started))
    return result


async def _send(  # noqa: PLR0913, PLR0917 - one request and where its outcome goes
    client: aiohttp.ClientSession, tenant: Tenant, due: Arrival, stored: list[str], result: Result, started: float
) -> None:
    method, path, body = _request(due, stored)
    try:
        async with client.request(method, path, json=body, headers=tenant.bearer) as answer:
            document = await answer.json() if due.operation == "write" else await answer.read()
            status = answer.status
    except (aiohttp.ClientError, TimeoutError):
        status, document = 0, b""
    if isinstance(document, dict) and "id" in document:
        stored.append(document["id"])
    result.add(due.operation, _tier(due.tenant), status, (time.monotonic() - started - due.at) * 1_000)


def _request(due: Arrival, stored: list[str]) -> tuple[str, str, dict[str, str] | None]:
    note = f"{_NOTES[int(due.at * 1_000) % len(_NOTES)]}, {due.at:.2f}"
    if due.operation == "search":
        return "POST", "/v1/memories/search", {"query": note}
    if due.operation == "delete" and stored:
        return "DELETE", f"/v1/memories/{stored.pop(0)}", None
    return ("GET", "/v1/memories", None) if due.operation == "list" else ("POST", "/v1/memories", {"content": note})


def _memory() -> Usage:
    """Of each kind of process that this one started: how many, their resident MB and their open descriptors."""
    found: Usage = {}
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if (
                not entry.name.isdigit()
                or int((entry / "stat").read_text().rpartition(")")[2].split()[1]) != os.getpid()
            ):
                continue
            command = (entry / "cmdline").read_bytes().decode()
            kind = next((kind for kind in _KINDS if kind in command), "other")
            mb = int((entry / "statm").read_text().split()[1]) * resource.getpagesize() / 1e6
            count, total, files = found.get(kind, (0, 0.0, 0))
            found[kind] = (count + 1, total + mb, files + len(list((entry / "fd").iterdir())))
    return found


def _percentiles(values: Sequence[float]) -> str:
    return " | ".join(f"{np.percentile(values, q):.1f}" for q in (50, 90, 99, 99.9)) if values else "- | - | - | -"


def _report(result: Result, run: str, before: Usage, after: Usage) -> str:
    lines = ["# Load", "", f"Written by `make load`: {run}, on {os.cpu_count()} cores with the load itself.", ""]
    lines += ["Latency in ms from the time at which a request was due, of those that were served.", ""]
    lines += ["| operation | served | p50 | p90 | p99 | p99.9 |", "|---|---|---|---|---|---|"]
    lines += [f"| {name} | {len(ms)} | {_percentiles(ms)} |" for name, ms in result.latencies.items()]
    lines += ["", "| tier | served | p50 | p90 | p99 | p99.9 | other answers |", "|---|---|---|---|---|---|---|"]
    for tier, ms in result.by_tier.items():
        refused = [
            f"{n} x {status or 'none'}" for status, n in sorted(result.statuses[tier].items()) if _failed(status)
        ]
        others = ", ".join(refused)
        lines.append(f"| {tier} | {len(ms)} | {_percentiles(ms)} | {others or 'none'} |")
    lines += [
        "",
        "| processes | number | MB before | MB after | descriptors before | after |",
        "|---|---|---|---|---|---|",
    ]
    for kind, (count, mb, files) in after.items():
        _, mb_before, files_before = before.get(kind, (0, 0.0, 0))
        lines.append(f"| {kind} | {count} | {mb_before:.0f} | {mb:.0f} | {files_before} | {files} |")
    return "\n".join([*lines, "", "![Latency by operation](images/load.png)", ""])


def _draw(result: Result, run: str) -> None:
    mpl.use("agg")
    figure, axis = plt.subplots(figsize=(9, 4), layout="constrained")
    for name, values in result.latencies.items():
        if values:
            axis.plot(np.sort(values), np.linspace(0, 100, len(values)), label=name)
    axis.axvline(_OBJECTIVE_MS, linestyle=":", color="grey")
    axis.set(xscale="log", xlabel="ms since due", ylabel="% of requests", title=run)
    axis.legend()
    figure.savefig(_DOCS / "images" / "load.png", dpi=80)
    plt.close(figure)


if __name__ == "__main__":
    main()
