"""A data plane and an embedder as processes on the loopback address."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from loci_contract import headers
from loci_contract.registry import Limits
from loci_dev.rigs.processes import free_port, running

TOKEN = "token-of-the-ingress"  # noqa: S105 - made up


def answers(url: str) -> Callable[[], bool]:
    """Return a condition that holds when GET of the URL succeeds."""

    def holds() -> bool:
        try:
            return httpx.get(url, timeout=2).is_success
        except httpx.TransportError:
            return False

    return holds


@contextlib.contextmanager
def embedder(folder: Path, **environment: str) -> Iterator[str]:
    """Run an embedder and yield its URL."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "loci_embedder"]
    environment["LOCI_PORT"] = str(port)
    with running(command, folder / "embedder.log", ready=answers(f"{url}/readyz"), environment=environment):
        yield url


@dataclass
class Pod:
    """A tenant's data plane that can be started repeatedly on the same data."""

    folder: Path
    embedder_url: str
    tenant: str = "acme"
    max_memories: int = 1_000
    max_graph_nodes: int = 1_000
    port: int = field(default_factory=free_port)
    environment: dict[str, str] = field(default_factory=dict)
    pid: int = 0

    @property
    def url(self) -> str:
        """The base URL."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        """The log file."""
        return self.folder / f"{self.tenant}.log"

    def client(self, token: str = TOKEN) -> httpx.Client:
        """Return a client that sends an ingress token."""
        return httpx.Client(base_url=self.url, headers={headers.INGRESS_TOKEN: token}, timeout=30)

    @contextlib.contextmanager
    def running(self, ready: str = "/readyz") -> Iterator[int]:
        """Run the data plane and yield its PID, once GET of the path `ready` succeeds."""
        quotas = {"max_memories": self.max_memories, "max_graph_nodes": self.max_graph_nodes}
        limits = Limits(requests_per_minute=100, burst=20, **quotas)
        (self.folder / "limits.json").write_text(limits.model_dump_json())
        (self.folder / "ingress-token").write_text(TOKEN)
        environment = {
            "LOCI_TENANT": self.tenant,
            "LOCI_DATA_DIR": str(self.folder / self.tenant),
            "LOCI_INGRESS_TOKEN_FILE": str(self.folder / "ingress-token"),
            "LOCI_LIMITS_FILE": str(self.folder / "limits.json"),
            "LOCI_EMBEDDER_URL": self.embedder_url,
            "LOCI_PORT": str(self.port),
            **self.environment,
        }
        command = [sys.executable, "-m", "loci_dataplane"]
        with running(command, self.log, ready=answers(self.url + ready), environment=environment) as process:
            self.pid = process.pid
            yield process.pid
