"""The real stores of each storage profile on the loopback address, as a pod's settings name them.

`embedded` has everything in the pod's folder, `shared` PostgreSQL (records and graph) and a Chroma server, `dedicated`
Neo4j for the graph besides. A tenant has its schema, its collection and its credentials in files, as in the cluster.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import chromadb
from chromadb.config import Settings

from loci_contract import postgres as names
from loci_dataplane.stores.chroma.server import COLLECTION_CONFIGURATION
from loci_dev.rigs.chroma_server import ChromaServer, chroma_server
from loci_dev.rigs.neo4j import Neo4j, neo4j
from loci_dev.rigs.postgres import Postgres, postgres
from loci_operator.provision.postgres.provisioner import PostgresProvisioner, Server

PROFILES: Final = ("embedded", "shared", "dedicated")
_PASSWORD: Final = "made-up-password-of-tests"  # noqa: S105 - made up


@dataclass(frozen=True)
class Profile:
    """The servers of a profile, those that it has."""

    name: str
    folder: Path = field(repr=False)
    postgres: Postgres | None = None
    chroma: ChromaServer | None = None
    neo4j: Neo4j | None = None

    def environment(self, tenant: str) -> dict[str, str]:
        """Provision a tenant and return the environment of its pod."""
        made: dict[str, str] = {}
        if self.postgres:
            _in_a_loop(self.postgres, tenant)
            dsn = self.postgres.dsn(names.login_role(tenant), _PASSWORD)
            made["LOCI_POSTGRES_DSN_FILE"] = self._file(f"{tenant}-dsn", dsn)
        if self.chroma:
            made["LOCI_CHROMA_URL"] = self.chroma.url
            made["LOCI_CHROMA_COLLECTION"] = collection(self.chroma, tenant)
        if self.neo4j:
            made["LOCI_NEO4J_URL"] = self.neo4j.url
            made["LOCI_NEO4J_PASSWORD_FILE"] = self._file("neo4j-password", self.neo4j.password)
        return made

    def _file(self, name: str, content: str) -> str:
        path = self.folder / name
        path.write_text(content)
        return str(path)


@contextlib.contextmanager
def profile(name: str, folder: Path) -> Iterator[Profile]:
    """Run the servers of a profile for the length of the block."""
    with contextlib.ExitStack() as stack:
        yield Profile(
            name,
            folder,
            stack.enter_context(postgres()) if name != "embedded" else None,
            stack.enter_context(chroma_server(_made(folder / "chroma"))) if name != "embedded" else None,
            stack.enter_context(neo4j(_made(folder / "neo4j"))) if name == "dedicated" else None,
        )


def collection(server: ChromaServer, tenant: str) -> str:
    """Create a tenant's collection and return its id."""
    client = chromadb.HttpClient(port=server.port, settings=Settings(anonymized_telemetry=False))
    made = client.get_or_create_collection(tenant, embedding_function=None, configuration=COLLECTION_CONFIGURATION)
    return str(made.id)


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def _in_a_loop(server: Postgres, tenant: str) -> None:
    """Provision in a thread, since the caller's own loop may be running."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, PostgresProvisioner(Server(server.dsn())).create(tenant, _PASSWORD)).result()
