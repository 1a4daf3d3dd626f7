"""All of Loci's processes for requests on the loopback address: Envoy, policy, Redis, embedder, and tenants' pods."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from loci_contract.registry import Limits, Scope
from loci_dev.rigs.ingress import Ingress, Tenant, ingress, known
from loci_dev.rigs.pod import TOKEN, Pod, embedder
from loci_dev.rigs.processes import wait_until
from loci_dev.rigs.redis import Redis, redis

AMPLE = Limits(requests_per_minute=1_000_000, burst=100_000, max_memories=1_000, max_graph_nodes=1_000)


@dataclass
class Platform:
    """What runs; `environment` goes to every process."""

    folder: Path
    ingress: Ingress
    redis: Redis
    embedder_url: str
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """The base URL for clients."""
        return self.ingress.url

    @contextlib.contextmanager
    def tenant(
        self, name: str, environment: Mapping[str, str] | None = None, limits: Limits = AMPLE, **record: Any
    ) -> Iterator[tuple[Tenant, Pod]]:
        """Run a tenant's pod and register it, with a key of every scope."""
        pod = Pod(self.folder, self.embedder_url, name, environment={**self.environment, **(environment or {})})
        fields = {"limits": limits, "ingress_token": TOKEN, "upstream": pod.url.removeprefix("http://"), **record}
        with pod.running(), known(self.ingress, name, fields.pop("upstream"), *Scope, **fields) as tenant:
            wait_until(lambda: self.get("/v1/usage", tenant).is_success, f"{name}'s stores are open")
            yield tenant, pod

    def get(self, path: str, tenant: Tenant) -> httpx.Response:
        """GET with the tenant's key."""
        return httpx.get(f"{self.url}{path}", headers=tenant.bearer, timeout=30)

    def client(self, tenant: Tenant) -> httpx.Client:
        """A client of the ingress with the tenant's key."""
        return httpx.Client(base_url=self.url, headers=tenant.bearer, timeout=30)


@contextlib.contextmanager
def platform(
    folder: Path, environment: Mapping[str, str] | None = None, **changes: Mapping[str, Any]
) -> Iterator[Platform]:
    """Run everything but pods; `environment` goes to every process, `changes` are chart values of the ingress."""
    everywhere = dict(environment or {})
    with (
        redis(folder) as server,
        embedder(folder, **everywhere) as embedder_url,
        ingress(folder, {"LOCI_REDIS_URL": server.url, **everywhere}, **changes) as running,
    ):
        wait_until(lambda: httpx.get(f"{running.url}/readyz").is_success, "the ingress is ready")
        yield Platform(folder, running, server, embedder_url, everywhere)
