"""A Prometheus server for the length of a block, on the loopback address."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import yaml

from loci_dev.rigs.processes import free_port, running
from loci_dev.tools.catalog import tool


@dataclass(frozen=True)
class Prometheus:
    """A running server."""

    port: int
    process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        """The base address of its API."""
        return f"http://127.0.0.1:{self.port}"

    def query(self, expression: str) -> list[dict[str, Any]]:
        """The series that an expression gives now: `metric` (labels) and `value` (time in s, text) of each."""
        response = httpx.get(f"{self.url}/api/v1/query", params={"query": expression}, timeout=30)
        response.raise_for_status()
        result: list[dict[str, Any]] = response.json()["data"]["result"]
        return result


@contextlib.contextmanager
def prometheus(folder: Path, configuration: Mapping[str, Any], port: int | None = None) -> Iterator[Prometheus]:
    """A server with this configuration (`prometheus.yml` as an object) and its data in the folder."""
    port, file = port or free_port(), folder / "prometheus.yml"
    file.write_text(yaml.safe_dump(dict(configuration)))
    options = [
        f"--config.file={file}",
        f"--storage.tsdb.path={folder / 'prometheus'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--web.enable-lifecycle",
    ]
    with running([tool("prometheus"), *options], folder / "prometheus.log", ready=lambda: is_ready(port)) as process:
        yield Prometheus(port, process)


def is_ready(port: int) -> bool:
    """Whether a server of Prometheus' family on this port is ready."""
    try:
        return httpx.get(f"http://127.0.0.1:{port}/-/ready", timeout=2).is_success
    except httpx.TransportError:
        return False
