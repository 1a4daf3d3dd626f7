"""A real run for Prometheus with our rules: `loci serve`, an embedder and, on a real API server, the operator."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

import httpx
import yaml

from loci_dev.cluster.controlplane import ControlPlane, control_plane
from loci_dev.cluster.tenants import Tenants
from loci_dev.cluster.unprivileged import install, operator
from loci_dev.observability import rules
from loci_dev.rigs.pod import embedder
from loci_dev.rigs.prober import prober
from loci_dev.rigs.prometheus import Prometheus, prometheus
from loci_dev.rigs.standalone import ADMIN_KEY, Served, declare, serve

TENANTS: Final = {"acme": "enterprise", "globex": "pro", "hobby": "free"}
_ROOT: Final = Path(__file__).parents[3]
_EVERY: Final = "1s"
_SEARCHES: Final = {"acme": 12, "globex": 6, "hobby": 3}
_NOTES: Final = ("Ada moved to Lisbon.", "Sam rides an e-bike.", "Grace arrives on Thursday with two dogs.")


@dataclass(frozen=True)
class Run:
    """What runs, and the load on it."""

    served: Served
    embedder_url: str
    plane: ControlPlane
    prometheus: Prometheus

    def load(self, round_: int) -> None:
        """Send one round of requests: writes, searches, lists, mistakes and more than a small tier allows."""
        for tenant, searches in _SEARCHES.items():
            with self.served.client(self.served.key(tenant)) as client:
                note = {"content": f"{_NOTES[round_ % len(_NOTES)]} ({round_})"}
                made = client.post("/v1/memories", json=note)
                for number in range(searches):
                    client.post("/v1/memories/search", json={"query": f"Who arrives, {number % 4}?"})
                client.get("/v1/memories")
                client.get("/v1/memories/mem_unknown")
                if round_ % 2 and made.status_code == HTTPStatus.CREATED:
                    client.delete(f"/v1/memories/{made.json()['id']}")
        self._declare(round_)
        with self.served.client("sk-acme-of-nobody") as stranger:
            stranger.get("/v1/memories")
        for priority in ("interactive", "bulk"):
            headers = {"x-loci-priority": priority}
            httpx.post(f"{self.embedder_url}/v1/embeddings", json={"input": list(_NOTES)}, headers=headers, timeout=30)

    def _declare(self, round_: int) -> None:
        """Give the operator something to do: a change of a tenant, and one of what it owns."""
        tenants = Tenants(self.plane)
        tenants.apply("acme", displayName=f"Round {round_}")
        if round_:
            self.plane.kubectl("delete", "service", "loci-dataplane", "-n", "loci-acme", "--ignore-not-found")


@contextlib.contextmanager
def observed(folder: Path) -> Iterator[Run]:
    """Everything, ready; all data and logs are in the folder."""
    tenants = folder / "tenants"
    tenants.mkdir()
    for tenant, tier in TENANTS.items():
        declare(tenants, tenant, tier=tier)
    (folder / "plane").mkdir()
    with (
        serve(folder, tenants) as served,
        embedder(folder) as embedder_url,
        control_plane(folder / "plane") as plane,
    ):
        install(plane)
        with operator(plane, folder) as operator_url, prober(folder, served.url, ADMIN_KEY) as prober_url:
            beside = {"loci-embedder": embedder_url, "loci-operator": operator_url, "loci-prober": prober_url}
            configuration = _configuration(folder, served.url, beside)
            with prometheus(folder, configuration) as server:
                yield Run(served, embedder_url, plane, server)


def _configuration(folder: Path, served: str, beside: Mapping[str, str]) -> dict[str, Any]:
    """Prometheus' configuration: the jobs are named as in a cluster, and the rules run every second."""
    document = yaml.safe_load((_ROOT / rules.CHART_RULES).read_text())
    for group in document["groups"]:
        group["interval"] = _EVERY
    file = folder / "rules.yaml"
    file.write_text(yaml.safe_dump(document))
    return {
        "global": {"scrape_interval": _EVERY, "evaluation_interval": _EVERY},
        "rule_files": [str(file)],
        "scrape_configs": [
            {"job_name": "loci-ingress", "authorization": {"credentials": ADMIN_KEY}, **_target(served)},
            *({"job_name": job, **_target(url)} for job, url in beside.items()),
        ],
    }


def _target(url: str) -> dict[str, Any]:
    return {"static_configs": [{"targets": [url.removeprefix("http://")]}]}
