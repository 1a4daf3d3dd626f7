"""An Alertmanager for the length of a block, on the loopback address, without peers."""

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
from loci_dev.rigs.prometheus import is_ready
from loci_dev.tools.catalog import tool


@dataclass(frozen=True)
class Alertmanager:
    """A running server."""

    port: int
    process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        """The base address of its API."""
        return f"http://127.0.0.1:{self.port}"

    def alerts(self) -> list[dict[str, Any]]:
        """The alerts that are active, as its API gives them."""
        response = httpx.get(f"{self.url}/api/v2/alerts", params={"active": "true"}, timeout=30)
        response.raise_for_status()
        result: list[dict[str, Any]] = response.json()
        return result


@contextlib.contextmanager
def alertmanager(folder: Path, configuration: Mapping[str, Any]) -> Iterator[Alertmanager]:
    """A server with this configuration (`alertmanager.yml` as an object) and its data in the folder."""
    port, file = free_port(), folder / "alertmanager.yml"
    file.write_text(yaml.safe_dump(dict(configuration)))
    options = [
        f"--config.file={file}",
        f"--storage.path={folder / 'alertmanager'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--cluster.listen-address=",
    ]
    command = [str(tool("prometheus-alertmanager")), *options]
    with running(command, folder / "alertmanager.log", ready=lambda: is_ready(port)) as process:
        yield Alertmanager(port, process)
