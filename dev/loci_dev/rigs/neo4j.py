"""A Neo4j Community server for the length of a block: Bolt on the loopback address, with a password.

It has the hardening of a tenant's own server; a test may take some of it away.
"""

from __future__ import annotations

import contextlib
import secrets
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import neo4j as driver

from loci_contract.neo4j import HARDENING
from loci_dev.rigs.processes import free_port, is_listening, running
from loci_dev.tools.catalog import tool

USER: Final = "neo4j"
_FIRST_PASSWORD: Final = "neo4j"  # noqa: S105 - what every new server has, until it is changed below
_OPENED: Final = ("java.nio", "java.io", "sun.nio.ch", "java.util.concurrent")


@dataclass(frozen=True)
class Neo4j:
    """A running server."""

    port: int
    password: str
    process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        """The address as drivers take it."""
        return f"bolt://127.0.0.1:{self.port}"

    @property
    def auth(self) -> tuple[str, str]:
        """User and password."""
        return USER, self.password


@contextlib.contextmanager
def neo4j(folder: Path, earlier: Neo4j | None = None, hardening: Mapping[str, str] = HARDENING) -> Iterator[Neo4j]:
    """A server with its data in the folder; give the earlier one of that folder to stand in for its restart."""
    port = earlier.port if earlier else free_port()
    password = earlier.password if earlier else secrets.token_urlsafe(16)
    _configure(folder, port, hardening)
    command = _command(tool("neo4j"), folder)
    with running(command, folder / "neo4j.log", ready=lambda: is_listening(port), seconds=300) as process:
        server = Neo4j(port, password, process)
        if earlier is None:
            _set_password(server)
        yield server


def _configure(folder: Path, port: int, hardening: Mapping[str, str]) -> None:
    settings = {
        "server.bolt.listen_address": f"127.0.0.1:{port}",
        "server.default_listen_address": "127.0.0.1",
        "server.http.enabled": "false",
        "server.memory.pagecache.size": "64m",
        "dbms.usage_report.enabled": "false",
        **hardening,
    }
    file = folder / "conf" / "neo4j.conf"
    file.parent.mkdir(exist_ok=True)
    file.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))


def _command(jars: Path, folder: Path) -> list[str]:
    opened = [f"--add-opens=java.base/{package}=ALL-UNNAMED" for package in _OPENED]
    options = [f"--home-dir={folder}", f"--config-dir={folder / 'conf'}", "--console-mode"]
    start = ["-cp", f"{jars}/*", "org.neo4j.server.CommunityEntryPoint"]
    return ["java", "-Xms128m", "-Xmx256m", *opened, *start, *options]


def _set_password(server: Neo4j) -> None:
    with driver.GraphDatabase.driver(server.url, auth=(USER, _FIRST_PASSWORD)) as first:
        change = "ALTER CURRENT USER SET PASSWORD FROM $old TO $new"
        first.execute_query(change, old=_FIRST_PASSWORD, new=server.password, database_="system")
