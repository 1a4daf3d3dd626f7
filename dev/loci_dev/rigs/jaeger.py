"""A Jaeger for the length of a block, on the loopback address, with its spans in memory."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx

from loci_dev.rigs.processes import free_port, running
from loci_dev.tools.catalog import tool

# Every listener that it has, so that none is left on a fixed port or on all addresses.
_LISTENERS: Final = {
    "otlp_grpc": "collector.otlp.grpc.host-port",
    "otlp_http": "collector.otlp.http.host-port",
    "query": "query.http-server.host-port",
    "query_grpc": "query.grpc-server.host-port",
    "collector_grpc": "collector.grpc-server.host-port",
    "collector_http": "collector.http-server.host-port",
    "admin": "admin.http.host-port",
    "sampling": "http-server.host-port",
    "udp_binary": "processor.jaeger-binary.server-host-port",
    "udp_compact": "processor.jaeger-compact.server-host-port",
    "udp_zipkin": "processor.zipkin-compact.server-host-port",
}


@dataclass(frozen=True)
class Jaeger:
    """A running server: `otlp_grpc` and `otlp_http` take spans."""

    otlp_grpc: int
    otlp_http: int
    query: int
    process: subprocess.Popen[bytes]

    @property
    def otlp_url(self) -> str:
        """The address for OTLP over HTTP, without the signal's path."""
        return f"http://127.0.0.1:{self.otlp_http}"

    def traces(self, service: str, **parameters: str) -> list[dict[str, Any]]:
        """The traces that a service took part in, as the query API gives them."""
        url = f"http://127.0.0.1:{self.query}/api/traces"
        response = httpx.get(url, params={"service": service, **parameters}, timeout=30)
        response.raise_for_status()
        result: list[dict[str, Any]] = response.json()["data"]
        return result


@contextlib.contextmanager
def jaeger(folder: Path) -> Iterator[Jaeger]:
    """A server that keeps the last 50,000 traces."""
    ports = {name: free_port() for name in _LISTENERS}
    options = [f"--{flag}=127.0.0.1:{ports[name]}" for name, flag in _LISTENERS.items()]
    command = [str(tool("jaeger")), "--collector.otlp.enabled=true", "--memory.max-traces=50000", *options]
    memory = {"SPAN_STORAGE_TYPE": "memory"}
    ready = ports["admin"]
    with running(command, folder / "jaeger.log", ready=lambda: _is_ready(ready), environment=memory) as process:
        yield Jaeger(ports["otlp_grpc"], ports["otlp_http"], ports["query"], process)


def _is_ready(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/", timeout=2).is_success
    except httpx.TransportError:
        return False
