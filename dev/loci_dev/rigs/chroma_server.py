"""A Chroma server for the length of a block, on the loopback address. It has no authentication."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx

from loci_dev.rigs.processes import free_port, running

_CHROMA: Final = Path(sys.executable).parent / "chroma"


@dataclass(frozen=True)
class ChromaServer:
    """A running server."""

    port: int
    process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        """The base address of its API."""
        return f"http://127.0.0.1:{self.port}"


@contextlib.contextmanager
def chroma_server(folder: Path, port: int | None = None) -> Iterator[ChromaServer]:
    """A server with its data in the folder; give folder and port of an earlier one to stand in for its restart."""
    port = port or free_port()
    command = [str(_CHROMA), "run", "--host", "127.0.0.1", "--port", str(port), "--path", str(folder / "chroma")]
    quiet = {"ANONYMIZED_TELEMETRY": "False"}
    with running(command, folder / "chroma.log", ready=lambda: _answers(port), environment=quiet) as process:
        yield ChromaServer(port, process)


def _answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/api/v2/heartbeat", timeout=2).is_success
    except httpx.TransportError:
        return False
