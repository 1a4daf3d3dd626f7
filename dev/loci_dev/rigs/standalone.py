"""`loci serve` as a process on the loopback address, for tests and benches."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from loci_dev.rigs.processes import free_port, running

ADMIN_KEY = "made-up-admin-key-of-tests"
_LOCI = Path(sys.executable).parent / "loci"


@dataclass
class Served:
    """A running `loci serve`."""

    url: str
    data: Path
    log: Path
    process: subprocess.Popen[bytes]

    def key(self, tenant: str, name: str = "default") -> str:
        """Return the key that was generated for a declared tenant."""
        return (self.data / "keys" / f"{tenant}.{name}.key").read_text().strip()

    def client(self, key: str | None = None) -> httpx.Client:
        """Return a client that sends this key."""
        return httpx.Client(base_url=self.url, headers={"authorization": f"Bearer {key}"} if key else {}, timeout=30)


@contextlib.contextmanager
def serve(folder: Path, tenants: Path | None = None, *options: str) -> Iterator[Served]:
    """Run `loci serve` with its data and log in the folder."""
    data, log, port = folder / "data", folder / "loci.log", free_port()
    url = f"http://127.0.0.1:{port}"
    command: list[str | Path] = [_LOCI, "serve", "--data", data, "--port", str(port)]
    command += ["--tenants", tenants, *options] if tenants else options
    with running(command, log, ready=lambda: _is_ready(url), environment={"LOCI_ADMIN_KEY": ADMIN_KEY}) as process:
        yield Served(url, data, log, process)


def try_to_serve(*options: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run `loci serve` with options that keep it from starting and return its output."""
    command = [str(_LOCI), "serve", *map(str, options)]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment, timeout=60)


def declare(folder: Path, tenant: str, annotations: dict[str, str] | None = None, **spec: Any) -> None:
    """Write a MemoryTenant document."""
    document = {
        "apiVersion": "loci.dev/v1alpha1",
        "kind": "MemoryTenant",
        "metadata": {"name": tenant, "annotations": annotations or {}},
        "spec": {"tier": "pro", **spec},
    }
    (folder / f"{tenant}.yaml").write_text(json.dumps(document))


def _is_ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/readyz", timeout=2).is_success
    except httpx.TransportError:
        return False
