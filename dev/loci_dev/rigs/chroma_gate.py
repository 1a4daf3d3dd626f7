"""The gate before a Chroma server as processes on the loopback address: Envoy with the chart's configuration."""

from __future__ import annotations

import contextlib
import json
import secrets
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from uuid import UUID

import httpx

from loci_contract.chroma import HEARTBEAT, CollectionRecord
from loci_contract.keys import sha256
from loci_dev.rigs.chroma_server import ChromaServer, chroma_server
from loci_dev.rigs.ingress import accepts, envoy, render_template
from loci_dev.rigs.processes import free_port, running, wait_until

PROVISIONER_TOKEN: Final = "token-of-the-provisioner"  # noqa: S105 - made up


@dataclass
class ChromaGate:
    """A server, the gate before it, and the folder that the gate takes its collections from."""

    url: str
    server: ChromaServer
    folder: Path = field(repr=False)

    def admit(self, tenant: str, collection: UUID) -> str:
        """Return a token that opens a collection, once the gate knows it."""
        token = secrets.token_urlsafe()
        record = CollectionRecord(tenant=tenant, collection=collection, token_sha256=sha256(token))
        part = self.folder / f".{tenant}"
        part.write_text(record.model_dump_json())
        part.rename(self.folder / f"{tenant}.json")
        headers = {"authorization": f"Bearer {token}"}
        url = f"{self.url}{HEARTBEAT.replace('heartbeat', 'pre-flight-checks')}"
        wait_until(lambda: httpx.get(url, headers=headers).is_success, f"{tenant} is known", interval=0.01)
        return token


@contextlib.contextmanager
def chroma_gate(folder: Path, kubeconfig: Path | None = None) -> Iterator[ChromaGate]:
    """Run Chroma, the gate's process and Envoy; with a kubeconfig, the gate follows Secrets instead of a folder."""
    (collections := folder / "collections").mkdir()
    socket, port, admin_port = folder / "gate.sock", free_port(), free_port()
    with chroma_server(folder) as server:
        listening = {"address": "127.0.0.1", "port": port, "adminPort": admin_port, "socket": str(socket)}
        values = {"stores": {"chroma": {"gate": listening, "serverPort": server.port}}}
        (config := folder / "chroma-gate.yaml").write_text(render_template(json.dumps(values), "chroma-gate.yaml"))
        environment = {
            "LOCI_GATE_SOCKET": str(socket),
            "LOCI_PROVISIONER_SHA256": sha256(PROVISIONER_TOKEN),
            **({"KUBECONFIG": str(kubeconfig)} if kubeconfig else {"LOCI_COLLECTIONS_FOLDER": str(collections)}),
        }
        command = [sys.executable, "-m", "loci_policy.chroma"]
        with (
            running(command, folder / "gate.log", ready=lambda: accepts(socket), environment=environment),
            envoy(folder, config, port, admin_port) as proxy,
        ):
            yield ChromaGate(proxy.url, server, collections)
