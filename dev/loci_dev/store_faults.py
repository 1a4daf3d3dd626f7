"""`python -m loci_dev.store_faults`: take each store of a pod away while it is used, and write down what is answered.

A pod of the shared profile runs on real servers. Each fault pauses a server (SIGSTOP) or kills it (SIGKILL, and a new
one on the same data afterwards). Meanwhile a memory is sent with an Idempotency-Key and a search is made. Afterwards
the request is sent again, and everything acknowledged must be found once, by vector and by full text. The table goes
into docs/reliability.md.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx

from loci_dev.rigs import pod
from loci_dev.rigs.chroma_server import chroma_server
from loci_dev.rigs.processes import children, is_over, wait_until
from loci_dev.rigs.profiles import Profile, profile

_DOCUMENT: Final = Path(__file__).parents[2] / "docs" / "reliability.md"
_BEGIN: Final = "<!-- written by `make faults` -->\n"
_END: Final = "<!-- end -->\n"
_HEADER: Final = "| fault | a write | a search | afterwards complete |\n|---|---|---|---|\n"


@dataclass(frozen=True)
class Observed:
    """Answers during a fault, and how long it took afterwards until all was found."""

    fault: str
    write: int
    write_seconds: float
    search: int
    degraded: tuple[str, ...]
    recovery_seconds: float

    def row(self) -> str:
        """Return the row of the table."""
        found = f"{self.search}, `degraded: {list(self.degraded)}`" if self.degraded else str(self.search)
        cells = (self.fault, f"{self.write} after {self.write_seconds:.1f} s", found, f"{self.recovery_seconds:.1f} s")
        return f"| {' | '.join(cells)} |\n"


@dataclass
class Bench:
    """A pod, its client and the servers behind it."""

    client: httpx.Client
    stores: Profile
    embedder: int
    replaced: contextlib.ExitStack
    stored: dict[str, str] = field(default_factory=dict)

    def observe(self, fault: str, take_away: Callable[[], Callable[[], None]]) -> Observed:
        """Use the pod during a fault and after it."""
        give_back = take_away()
        try:
            started = time.monotonic()
            write = self._add(fault)
            write_seconds = time.monotonic() - started
            found = self._search(f"{fault} before", "hybrid")
        finally:
            give_back()
        started = time.monotonic()
        wait_until(lambda: self._add(fault).status_code == 201, "a retry is stored", interval=0.2)  # noqa: PLR2004 - HTTP
        wait_until(self._is_complete, "everything is found", seconds=120, interval=0.2)
        body = found.json()
        recovery = time.monotonic() - started
        degraded = tuple(body.get("degraded", ()))
        return Observed(fault, write.status_code, write_seconds, found.status_code, degraded, recovery)

    def warm_up(self) -> None:
        """Use everything once."""
        self._add("nobody")
        wait_until(self._is_complete, "everything is found", seconds=120)

    def _add(self, fault: str) -> httpx.Response:
        body = {"content": f"an otter met {fault}", "user_id": "ada"}
        answer = self.client.post("/v1/memories", json=body, headers={"Idempotency-Key": fault})
        if answer.is_success:
            earlier = self.stored.setdefault(fault, answer.json()["id"])
            if earlier != answer.json()["id"]:
                raise AssertionError(f"{fault}: a retry made a second memory")
        return answer

    def _search(self, query: str, mode: str) -> httpx.Response:
        return self.client.post("/v1/memories/search", json={"query": f"otter {query}", "mode": mode, "limit": 100})

    def _is_complete(self) -> bool:
        answers = [self._search("again", mode) for mode in ("vector", "keyword")]
        bodies: list[dict[str, Any]] = [answer.json() for answer in answers if answer.is_success]
        ids = [sorted(result["id"] for result in body["results"]) for body in bodies]
        return ids == [sorted(self.stored.values())] * 2 and not any(b["degraded"] or b["pending"] for b in bodies)

    def paused(self, leader: int) -> Callable[[], Callable[[], None]]:
        """Return the fault that stops a server and its children for a while."""

        def take_away() -> Callable[[], None]:
            pids = [leader, *children(leader)]
            _signal(pids, signal.SIGSTOP)
            return lambda: _signal(pids, signal.SIGCONT)

        return take_away

    def chroma_killed(self) -> Callable[[], None]:
        """Kill the Chroma server; return how to start another on its data."""
        server = self.stores.chroma
        assert server is not None
        _kill(server.process)
        return lambda: _ignore(self.replaced.enter_context(chroma_server(self.stores.folder / "chroma", server.port)))

    def postgres_killed(self) -> Callable[[], None]:
        """Kill the PostgreSQL server; return how to start another on its data."""
        server = self.stores.postgres
        assert server is not None
        _kill(server.process)
        return lambda: _ignore(self.replaced.enter_context(server.cluster.running()))


@contextlib.contextmanager
def bench(folder: Path) -> Iterator[Bench]:
    """Run a pod of the shared profile, its servers and an embedder."""
    (folder / "stores").mkdir()
    with (
        pod.embedder(folder) as url,
        profile("shared", folder / "stores") as stores,
        contextlib.ExitStack() as replaced,
    ):
        tenant = pod.Pod(folder, url, environment=stores.environment("acme"))
        with tenant.running(), tenant.client() as client:
            client.timeout = httpx.Timeout(60)
            yield Bench(client, stores, _listener(url), replaced)


def observations(used: Bench) -> Iterator[Observed]:
    """Try every fault."""
    assert used.stores.postgres is not None
    assert used.stores.chroma is not None
    used.warm_up()
    yield used.observe("nothing", lambda: lambda: None)
    yield used.observe("embedder paused", used.paused(used.embedder))
    yield used.observe("Chroma paused", used.paused(used.stores.chroma.process.pid))
    yield used.observe("PostgreSQL paused", used.paused(used.stores.postgres.process.pid))
    yield used.observe("Chroma killed", used.chroma_killed)
    yield used.observe("PostgreSQL killed", used.postgres_killed)


def main() -> None:
    """Write the table."""
    with tempfile.TemporaryDirectory() as folder, bench(Path(folder)) as used:
        table = _HEADER + "".join(observed.row() for observed in observations(used))
    text = _DOCUMENT.read_text()
    before, _, rest = text.partition(_BEGIN)
    _DOCUMENT.write_text(before + _BEGIN + table + _END + rest.partition(_END)[2])
    print(table)


def _listener(url: str) -> int:
    port = f":{httpx.URL(url).port}"
    for path in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):
            if f"LOCI_PORT={port[1:]}" in path.read_text(errors="replace").split("\0"):
                return int(path.parent.name)
    raise RuntimeError("the embedder is not running")


def _kill(server: subprocess.Popen[bytes]) -> None:
    pids = [server.pid, *children(server.pid)]
    _signal(pids, signal.SIGKILL)
    server.wait()
    wait_until(lambda: all(is_over(pid) for pid in pids), "the server is over")


def _signal(pids: Sequence[int], number: signal.Signals) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def _ignore(_: object) -> None:
    """Take a value that is not used."""


if __name__ == "__main__":
    main()
