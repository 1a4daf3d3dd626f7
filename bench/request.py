"""CPU time that a tenant's pod spends on one request: usage, one memory, a cached search; beside an empty route.

Requests go one after another over one connection, past Envoy, with the ingress token. What counts is the CPU time of
the serving process alone (in steps of 10 ms a round), so that a busy machine changes it little. The reference is a
FastAPI application with one route that returns a small object, served in the same way.
"""

from __future__ import annotations

import contextlib
import json
import statistics
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, Final

from fastapi import FastAPI

from loci_contract import headers
from loci_dev.bench import Figure, cpu_seconds, figure, report
from loci_dev.rigs.pod import TOKEN, Pod, embedder
from loci_dev.rigs.processes import free_port, is_listening, running

ROUNDS: Final = 3
REQUESTS: Final = 1_000
MEMORIES: Final = 50

empty = FastAPI(openapi_url=None)


@empty.get("/empty")
async def _empty() -> dict[str, int]:
    return {"memories": 1}


@dataclass
class Case:
    """A request, and the CPU microseconds that it took in each round."""

    name: str
    port: int
    pid: int
    method: str
    path: str
    body: Any = None
    used: list[float] = field(default_factory=list)

    def measure(self, requests: int) -> None:
        """Send the request so many times."""
        connection = HTTPConnection("127.0.0.1", self.port)
        before = cpu_seconds(self.pid)
        for _ in range(requests):
            send(connection, self.method, self.path, self.body)
        self.used.append((cpu_seconds(self.pid) - before) / requests * 1e6)
        connection.close()

    @property
    def median(self) -> float:
        """The median round, microseconds."""
        return statistics.median(self.used)


def send(connection: HTTPConnection, method: str, path: str, body: Any = None) -> Any:
    """Send one request and return the body of its response; raise when it failed."""
    sent = {headers.INGRESS_TOKEN: TOKEN, headers.TENANT: "acme", headers.KEY_ID: "key_0123456789ab"}
    connection.request(method, path, None if body is None else json.dumps(body), sent)
    response = connection.getresponse()
    text = response.read()
    if response.status >= 400:  # noqa: PLR2004 - the errors of HTTP
        raise RuntimeError(f"{method} {path}: {response.status} {text[:200]!r}")
    return json.loads(text)


def main() -> None:
    """Run the benchmark and report."""
    with tempfile.TemporaryDirectory() as folder, _cases(Path(folder)) as cases:
        for case in cases:
            case.measure(REQUESTS // 5)
            case.used.clear()
        for _ in range(ROUNDS):
            for case in cases:
                case.measure(REQUESTS)
    report("request", list(_figures(cases)))


@contextlib.contextmanager
def _cases(folder: Path) -> Iterator[list[Case]]:
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "request:empty", "--app-dir", str(Path(__file__).parent)]
    command += ["--port", str(port), "--no-access-log", "--log-level", "warning"]
    with (
        running(command, folder / "empty.log", ready=lambda: is_listening(port)) as plain,
        embedder(folder) as url,
        (pod := Pod(folder, url)).running() as pid,
    ):
        memory, found = _fill(pod.port), {"query": "Where does Ada live?", "limit": 10}
        yield [
            Case("empty FastAPI route", port, plain.pid, "GET", "/empty"),
            Case("usage", pod.port, pid, "GET", "/v1/usage"),
            Case("one memory", pod.port, pid, "GET", f"/v1/memories/{memory}"),
            Case("cached search", pod.port, pid, "POST", "/v1/memories/search", found),
        ]


def _fill(port: int) -> str:
    connection = HTTPConnection("127.0.0.1", port)
    items = [{"content": f"Ada moved to city number {number}.", "user_id": "ada"} for number in range(MEMORIES)]
    stored = send(connection, "POST", "/v1/memories/batch", {"memories": items})
    return str(stored["results"][0]["memory"]["id"])


def _figures(cases: list[Case]) -> Iterator[Figure]:
    empty_route, *ours = cases
    for case in ours:
        yield figure(f"CPU of the pod, {case.name}", case.median, "us", empty_route.median)


if __name__ == "__main__":
    main()
