"""The stores that tenants share, as real servers: PostgreSQL, Chroma behind its gate, and Neo4j for one tenant."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import httpx

from loci_contract import environment as variables
from loci_contract import postgres as names
from loci_contract.chroma import COLLECTIONS, SPACE, collection_name
from loci_dev.rigs.chroma_gate import PROVISIONER_TOKEN, ChromaGate, chroma_gate
from loci_dev.rigs.neo4j import USER, Neo4j, neo4j
from loci_dev.rigs.postgres import Postgres, postgres
from loci_operator.provision.postgres.provisioner import PostgresProvisioner, Server


@dataclass
class StoreServers:
    """The running servers; `secrets` are the credentials that were given out."""

    folder: Path
    postgres: Postgres
    chroma: ChromaGate
    neo4j: Neo4j | None
    secrets: list[str] = field(default_factory=list, repr=False)

    def admit(self, tenant: str) -> dict[str, str]:
        """Make a tenant's share of each server; the environment of a pod that uses it."""
        password = secrets.token_urlsafe(16)
        asyncio.run(PostgresProvisioner(Server(self.postgres.dsn())).create(tenant, password))
        collection = self._collection(tenant)
        token = self.chroma.admit(tenant, collection)
        self.secrets += [password, token]
        return {
            variables.POSTGRES_DSN_FILE: self._file(tenant, self.postgres.dsn(names.login_role(tenant), password)),
            variables.CHROMA_URL: self.chroma.url,
            variables.CHROMA_COLLECTION: str(collection),
            variables.CHROMA_TOKEN_FILE: self._file(f"{tenant}.chroma", token),
            **self._graph(),
        }

    def _graph(self) -> dict[str, str]:
        if self.neo4j is None:
            return {}
        password = self._file("neo4j.password", self.neo4j.password)
        return {"LOCI_NEO4J_URL": self.neo4j.url, "LOCI_NEO4J_USER": USER, "LOCI_NEO4J_PASSWORD_FILE": password}

    def _collection(self, tenant: str) -> UUID:
        body = {"name": collection_name(tenant), "configuration": SPACE, "get_or_create": True}
        headers = {"authorization": f"Bearer {PROVISIONER_TOKEN}"}
        made = httpx.post(f"{self.chroma.url}{COLLECTIONS}", json=body, headers=headers).raise_for_status()
        return UUID(made.json()["id"])

    def _file(self, name: str, text: str) -> str:
        (path := self.folder / f"{name}.secret").write_text(text)
        return str(path)


@contextlib.contextmanager
def store_servers(folder: Path, *, graph: bool = False) -> Iterator[StoreServers]:
    """Run PostgreSQL and Chroma with its gate, and Neo4j for the graph of a single tenant."""
    for part in ("chroma", "neo4j"):
        (folder / part).mkdir()
    with contextlib.ExitStack() as stack:
        database = stack.enter_context(postgres())
        gate = stack.enter_context(chroma_gate(folder / "chroma"))
        server = stack.enter_context(neo4j(folder / "neo4j")) if graph else None
        yield StoreServers(folder, database, gate, server)
