"""Disrupt each part of an installation in real pods under load, and count the requests that fail.

`make drill-pods` runs it on the local cluster: ten requests a second (lists, searches and writes of one tenant) while a
process is killed, a pod deleted, or the chart upgraded; with one replica of each platform part, then with two. A
request fails when it gets 5xx or 429, or no response in 10 seconds. The span is the time from the start of the first
failed request to that of the last. Each disruption ends when every pod is ready again and 5 seconds passed without a
failure.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final

import httpx

from loci_dev.chart import CHART
from loci_dev.cluster import supervisor
from loci_dev.cluster.__main__ import up
from loci_dev.cluster.client import Cluster
from loci_dev.cluster.install import NAMESPACE
from loci_dev.cluster.state import State
from loci_dev.rigs.processes import wait_until
from loci_dev.tools.catalog import tool

_RATE: Final = 10
_QUIET_SECONDS: Final = 5
_TENANT: Final = "drilled"
_TIMEOUT: Final = 10.0
_TARGET: Final = Path("build/disruptions.json")


@dataclass
class _Load:
    """Requests at a steady rate, whatever becomes of earlier ones; when each failed one began, and why it failed."""

    client: httpx.AsyncClient
    sent: int = 0
    failed: list[tuple[float, str]] = field(default_factory=list)

    async def run(self) -> None:
        """Send until cancelled."""
        async with asyncio.TaskGroup() as group:
            for number in itertools.count():
                group.create_task(self._send(number))
                await asyncio.sleep(1 / _RATE)

    def is_quiet(self) -> bool:
        """Whether no request failed lately."""
        return not self.failed or time.monotonic() - self.failed[-1][0] > _QUIET_SECONDS

    async def _send(self, number: int) -> None:
        self.sent += 1
        began = time.monotonic()
        try:
            answer = await _REQUESTS[number % len(_REQUESTS)](self.client)
        except httpx.TransportError as error:
            self.failed.append((began, type(error).__name__))
            return
        if answer.status_code >= 500 or answer.status_code == 429:  # noqa: PLR2004 - HTTP's numbers
            self.failed.append((began, str(answer.status_code)))


_REQUESTS: Final[tuple[Callable[[httpx.AsyncClient], Any], ...]] = (
    lambda client: client.get("/v1/memories"),
    lambda client: client.post("/v1/memories/search", json={"query": "green tea"}),
    lambda client: client.post("/v1/memories", json={"content": "Ada likes green tea."}),
)


@dataclass(frozen=True)
class _Disruption:
    name: str
    act: Callable[[Cluster], None]


def _delete_pod(component: str, cluster: Cluster) -> None:
    pod = _pods(cluster, component)[0]
    cluster.kubectl("delete", "pod", pod["metadata"]["name"], "-n", pod["metadata"]["namespace"], "--wait=false")


def _kill(component: str, container: str, cluster: Cluster) -> None:
    """Kill a container's first process; that of the Lease's holder, if it is an operator."""
    pods = _pods(cluster, component)
    if component == "operator":
        lease = cluster.get("lease", "loci-operator", "-n", NAMESPACE)
        pods = [pod for pod in pods if pod["metadata"]["name"] == lease["spec"]["holderIdentity"]]
    status = next(entry for entry in pods[0]["status"]["containerStatuses"] if entry["name"] == container)
    ctr = [str(tool("containerd").with_name("ctr")), "-a", str(cluster.state.containerd_socket), "-n", "k8s.io"]
    identity = status["containerID"].removeprefix("containerd://")
    subprocess.run([*ctr, "tasks", "kill", "-s", "SIGKILL", identity], check=True, capture_output=True)


def _upgrade(cluster: Cluster, **values: object) -> None:
    settings = [f"--set={name.replace('__', '.')}={value}" for name, value in values.items()]
    command = [str(tool("helm")), "upgrade", "loci", str(CHART), "-n", NAMESPACE, "--reuse-values", *settings]
    subprocess.run(
        [*command, f"--kubeconfig={cluster.state.kubeconfig}", "--wait", "--timeout=240s"],
        check=True,
        capture_output=True,
    )


def _other_log_level(cluster: Cluster) -> None:
    now = cluster.get("configmap", "loci-log-level", "-n", NAMESPACE)["data"]["log-level"].strip()
    _upgrade(cluster, logLevel="info" if now == "debug" else "debug")


_DISRUPTIONS: Final = (
    _Disruption("operator killed", partial(_kill, "operator", "operator")),
    _Disruption("policy killed", partial(_kill, "ingress", "policy")),
    _Disruption("Envoy killed", partial(_kill, "ingress", "envoy")),
    _Disruption("ingress pod deleted", partial(_delete_pod, "ingress")),
    _Disruption("tenant's process killed", partial(_kill, "dataplane", "dataplane")),
    _Disruption("tenant's pod deleted", partial(_delete_pod, "dataplane")),
    _Disruption("embedder killed", partial(_kill, "embedder", "embedder")),
    _Disruption("Redis killed", partial(_kill, "redis", "redis")),
    _Disruption("upgrade with another log level", _other_log_level),
)


def _pods(cluster: Cluster, component: str = "") -> list[dict[str, Any]]:
    """Pods of the platform and of the tenant, or those of one component."""
    items = [pod for place in (NAMESPACE, f"loci-{_TENANT}") for pod in cluster.get("pods", "-n", place)["items"]]
    label = "app.kubernetes.io/component"
    return [pod for pod in items if not component or pod["metadata"]["labels"].get(label) == component]


def _all_are_ready(cluster: Cluster) -> bool:
    return all(
        condition["status"] == "True" and "deletionTimestamp" not in pod["metadata"]
        for pod in _pods(cluster)
        for condition in pod["status"].get("conditions", [])
        if condition["type"] == "Ready"
    )


@dataclass(frozen=True)
class Row:
    """One disruption's outcome; the span is in seconds."""

    disruption: str
    replicas: int
    sent: int
    failed: int
    span: float
    kinds: str


async def _measure(cluster: Cluster, key: str, replicas: int, disruption: _Disruption) -> Row:
    await asyncio.to_thread(wait_until, partial(_all_are_ready, cluster), "all pods are ready", 180, 0.5)
    async with _loaded(cluster, key) as load:
        await asyncio.sleep(2)
        await asyncio.to_thread(disruption.act, cluster)
        await asyncio.sleep(_QUIET_SECONDS)
        await asyncio.to_thread(wait_until, partial(_all_are_ready, cluster), "all pods are ready", 180, 0.5)
        await asyncio.to_thread(wait_until, load.is_quiet, "requests succeed again", 180, 0.5)
    times = [began for began, _ in load.failed]
    kinds = sorted({kind for _, kind in load.failed})
    span = round(max(times) - min(times), 1) if times else 0.0
    return Row(disruption.name, replicas, load.sent, len(times), span, ", ".join(kinds))


@contextlib.asynccontextmanager
async def _loaded(cluster: Cluster, key: str) -> AsyncIterator[_Load]:
    headers = {"Authorization": f"Bearer {key}"}
    async with httpx.AsyncClient(base_url=cluster.endpoint, headers=headers, timeout=_TIMEOUT) as client:
        load = _Load(client)
        task = asyncio.create_task(load.run())
        try:
            yield load
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


def _tenant(cluster: Cluster) -> str:
    """The key of a tenant with one pod, which is ready."""
    document = {
        "apiVersion": "loci.dev/v1alpha1",
        "kind": "MemoryTenant",
        "metadata": {"name": _TENANT},
        "spec": {"tier": "pro", "deletionPolicy": "Delete"},
    }
    cluster.kubectl("apply", "-f", "-", stdin=json.dumps(document))
    cluster.kubectl("wait", f"mt/{_TENANT}", "--for=condition=Ready", "--timeout=120s")
    return cluster.secret(f"loci-{_TENANT}", "loci-api-keys", "default")


def _table(rows: list[Row]) -> str:
    lines = ["| disruption | replicas | requests | failed | span, s | kinds |", "|---|---|---|---|---|---|"]
    lines += [f"| {r.disruption} | {r.replicas} | {r.sent} | {r.failed} | {r.span:g} | {r.kinds} |" for r in rows]
    return "\n".join(lines)


def main() -> int:
    """Run every disruption with one replica and with two, and print the table; names as arguments choose some."""
    state, chosen = State.default(), sys.argv[1:]
    was_up, rows = state.pid is not None, list[Row]()
    try:
        up(state)
        cluster = Cluster(state)
        key = _tenant(cluster)
        for replicas in (1, 2):
            names = ("ingress", "operator", "embedder", "admin")
            _upgrade(cluster, **{f"{name}__replicas": replicas for name in names})
            for disruption in _DISRUPTIONS:
                if not chosen or disruption.name in chosen:
                    rows.append(asyncio.run(_measure(cluster, key, replicas, disruption)))
                    print(rows[-1], flush=True)
    finally:
        _TARGET.parent.mkdir(exist_ok=True)
        _TARGET.write_text(json.dumps([vars(row) for row in rows], indent=2) + "\n")
        if not was_up:
            supervisor.stop(state)
    print(_table(rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
