"""A Redis server on the loopback address, without persistence."""

from __future__ import annotations

import contextlib
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from loci_dev.rigs.processes import free_port, running
from loci_dev.tools.catalog import tool


@dataclass
class Redis:
    """A running server."""

    port: int
    process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        """The URL for clients."""
        return f"redis://127.0.0.1:{self.port}/0"


@contextlib.contextmanager
def redis(folder: Path, port: int | None = None) -> Iterator[Redis]:
    """Run a Redis server for the duration of the block; reuse the port of an earlier one to simulate its restart."""
    port = port or free_port()
    options = {"--bind": "127.0.0.1", "--port": str(port), "--save": "", "--dir": str(folder)}
    command = [str(tool("redis-server")), *(word for option in options.items() for word in option)]
    with running(command, folder / "redis.log", ready=lambda: _answers(port)) as process:
        yield Redis(port, process)


def _answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=0.5) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(16).startswith(b"+PONG")
    except OSError:
        return False
