"""What an acknowledged write costs: latency with one writer, throughput with 1 and 64 writers and in batches.

The reference is a bare INSERT with its commit (`synchronous = FULL`, write-ahead log) in a SQLite file on the same
volume. Reference and pod are measured in turn, so that a change of the machine's mood meets both alike. A write waits
up to 50 ms for its index; the pod whose embedder is away shows what is left without that.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import httpx

from loci_contract.headers import INGRESS_TOKEN
from loci_dev.bench import Figure, figure, report
from loci_dev.rigs.pod import TOKEN, Pod, embedder
from loci_dev.rigs.processes import free_port

ROUNDS: Final = 3
WRITES: Final = 50
"""Of one measurement with single writes."""
BATCHES: Final = 1
BATCH: Final = 256
WRITERS: Final = 64
CONTENT: Final = "I moved to Lisbon in March, and the hills are killing my knees, so I bought an e-bike for work."


@dataclass
class Latencies:
    """Seconds of single writes, one after another, over all rounds."""

    seconds: list[float] = field(default_factory=list)

    def quantile(self, share: float) -> float:
        """A quantile, in milliseconds."""
        return statistics.quantiles(self.seconds, n=100, method="inclusive")[round(share * 100) - 1] * 1000


@dataclass
class Rates:
    """Memories per second, one value for each round."""

    values: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        """The median round."""
        return statistics.median(self.values)


def main() -> None:
    """Measure and report."""
    with tempfile.TemporaryDirectory() as folder:
        report("write", asyncio.run(_measure(Path(folder))))


async def _measure(folder: Path) -> list[Figure]:
    bare, indexed, away = Latencies(), Latencies(), Latencies()
    one, many, batches = Rates(), Rates(), Rates()
    with _pods(folder) as (pod, without):
        async with _client(pod, WRITERS) as client, _client(without, 1) as other:
            await _each(_add(client), 10, Latencies())
            await _each(_add(other), 10, Latencies())
            for _ in range(ROUNDS):
                _reference(folder / "reference.db", bare)
                started = time.perf_counter()
                await _each(_add(client), WRITES, indexed)
                one.values.append(WRITES / (time.perf_counter() - started))
                await _each(_add(other), WRITES, away)
                many.values.append(await _together(client))
                batches.values.append(await _batches(client))
    return [
        figure("acknowledged, p50", indexed.quantile(0.5), "ms", bare.quantile(0.5)),
        figure("acknowledged, p99", indexed.quantile(0.99), "ms", bare.quantile(0.99)),
        figure("acknowledged while the embedder is away, p50", away.quantile(0.5), "ms", bare.quantile(0.5)),
        figure("acknowledged while the embedder is away, p99", away.quantile(0.99), "ms", bare.quantile(0.99)),
        figure("memories a second, 1 writer", one.median, "1/s", 1000 / bare.quantile(0.5)),
        figure(f"memories a second, {WRITERS} writers", many.median, "1/s", one.median),
        figure(f"memories a second, batches of {BATCH}", batches.median, "1/s", one.median),
    ]


def _reference(path: Path, latencies: Latencies) -> None:
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = FULL")
        database.execute("CREATE TABLE IF NOT EXISTS memories (id INTEGER PRIMARY KEY, content TEXT)")
        for _ in range(WRITES):
            started = time.perf_counter()
            database.execute("INSERT INTO memories (content) VALUES (?)", [CONTENT])
            latencies.seconds.append(time.perf_counter() - started)


async def _each(write: Callable[[], Awaitable[None]], number: int, latencies: Latencies) -> None:
    for _ in range(number):
        started = time.perf_counter()
        await write()
        latencies.seconds.append(time.perf_counter() - started)


async def _together(client: httpx.AsyncClient) -> float:
    started = time.perf_counter()
    write = _add(client)
    await asyncio.gather(*(_each(write, 4, Latencies()) for _ in range(WRITERS)))
    return 4 * WRITERS / (time.perf_counter() - started)


async def _batches(client: httpx.AsyncClient) -> float:
    started = time.perf_counter()
    for _ in range(BATCHES):
        body = {"memories": [{"content": CONTENT}] * BATCH}
        answer = (await client.post("/v1/memories/batch", json=body)).raise_for_status().json()
        if answer["stored"] != BATCH:
            raise RuntimeError(f"{answer['stored']} of {BATCH} were stored")
    return BATCHES * BATCH / (time.perf_counter() - started)


def _add(client: httpx.AsyncClient) -> Callable[[], Awaitable[None]]:
    async def add() -> None:
        (await client.post("/v1/memories", json={"content": CONTENT})).raise_for_status()

    return add


def _client(pod: Pod, connections: int) -> httpx.AsyncClient:
    limits = httpx.Limits(max_connections=connections, max_keepalive_connections=connections)
    return httpx.AsyncClient(base_url=pod.url, headers={INGRESS_TOKEN: TOKEN}, limits=limits, timeout=60)


@contextlib.contextmanager
def _pods(folder: Path) -> Iterator[tuple[Pod, Pod]]:
    """A pod with its embedder, and one whose embedder is away."""
    with embedder(folder) as url:
        pod = Pod(folder, url, max_memories=10**6)
        without = Pod(folder, f"http://127.0.0.1:{free_port()}", tenant="without", max_memories=10**6)
        with pod.running(), without.running():
            yield pod, without


if __name__ == "__main__":
    main()
