"""`kill -9` of a pod at random moments and between the steps of a write, under concurrent writers, deletions included.

After each kill the next pod starts on the same data; every request without a response is sent again with its key. Then
the memories that are listed, found by vector and found by full text must be exactly those that were acknowledged and
not deleted: none lost, none revived, none twice. LOCI_CHAOS_KILLS sets the number of kills (`make chaos`: 1,000).
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from loci_contract.headers import INGRESS_TOKEN
from loci_contract.registry import Limits
from loci_dev.rigs import pod
from loci_dev.rigs.crash_writers import Writer
from loci_dev.rigs.crashing_pod import Factory, factory
from loci_dev.rigs.faults import POINTS
from loci_dev.rigs.processes import free_port, is_over, wait_until

KILLS: Final = int(os.environ.get("LOCI_CHAOS_KILLS", "30"))
WRITERS: Final = 6
AT_RANDOM: Final = "at random"


@pytest.fixture(scope="module")
def embedder_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with pod.embedder(tmp_path_factory.mktemp("embedder")) as url:
        yield url


class Harness:
    """Kills pods on one tenant's data, and checks each round in the next pod."""

    def __init__(self, pods: Factory, port: int) -> None:
        self._pods = pods
        self._url = f"http://127.0.0.1:{port}"
        self._headers = {INGRESS_TOKEN: pod.TOKEN}
        self._last: list[Writer] = []
        self._total = 0
        self.seen: dict[str, int] = {"acknowledged": 0, "deleted": 0, "retried": 0, "by fault points": 0}

    def round(self, number: int, point: str, nth: int, delay: float) -> None:
        with self._running(point, nth) as (process, client):
            self._check_last(client)
            self._last = [Writer(number, n) for n in range(WRITERS)]
            os.kill(process, signal.SIGUSR1)
            first = threading.Event()
            threads = [threading.Thread(target=self._write, args=(writer, first)) for writer in self._last]
            for thread in threads:
                thread.start()
            if point == AT_RANDOM:
                first.wait(10)
                time.sleep(delay)
            else:
                for thread in threads:
                    thread.join()
                self.seen["by fault points"] += is_over(process)
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
            for thread in threads:
                thread.join()

    def finish(self) -> None:
        with self._running(AT_RANDOM, 1) as (process, client):
            self._check_last(client)
            os.kill(process, signal.SIGKILL)

    def _write(self, writer: Writer, first: threading.Event) -> None:
        with httpx.Client(base_url=self._url, headers=self._headers, timeout=30) as client:
            writer.run(client, first)

    def _check_last(self, client: httpx.Client) -> None:
        for writer in self._last:
            self.seen["retried"] += writer.open is not None
            writer.retry(client)
        wait_until(lambda: self._outbox(client) == 0, "the outbox is empty", seconds=60, interval=0.02)
        kept, deleted = self._union("kept"), self._union("deleted")
        self.seen["acknowledged"] += len(kept | deleted)
        self.seen["deleted"] += len(deleted)
        if not self._last:
            return
        user = f"round {self._last[0].round}"
        listed = (
            client.get("/v1/memories", params={"user_id": user, "limit": 200}).raise_for_status().json()["memories"]
        )
        assert sorted(memory["id"] for memory in listed) == sorted(kept), "records"
        for mode in ("vector", "keyword"):
            body = {"query": "an otter", "mode": mode, "limit": 100, "filters": {"user_id": user}}
            found = self._search(client, body)
            assert sorted(result["id"] for result in found["results"]) == sorted(kept), mode
        assert all(client.get(f"/v1/memories/{memory}").status_code == 404 for memory in deleted)
        self._total += len(kept)
        assert client.get("/v1/usage").json()["memories"] == self._total, "of all rounds"

    @staticmethod
    def _search(client: httpx.Client, body: dict[str, Any]) -> dict[str, Any]:
        """A search that no retriever was late for, as may happen on a busy machine."""
        answers: list[dict[str, Any]] = []

        def complete() -> bool:
            answer = client.post("/v1/memories/search", json=body)
            answers.append(answer.json())
            return answer.status_code == 200 and answers[-1]["degraded"] == []

        wait_until(complete, "a search is complete")
        assert answers[-1]["pending"] == 0
        return answers[-1]

    def _union(self, name: str) -> set[str]:
        return set[str]().union(*(getattr(writer, name) for writer in self._last))

    @contextlib.contextmanager
    def _running(self, point: str, nth: int) -> Iterator[tuple[int, httpx.Client]]:
        process = self._pods.start(point, nth)
        try:
            wait_until(pod.answers(f"{self._url}/readyz"), "the pod is ready", interval=0.02)
            with httpx.Client(base_url=self._url, headers=self._headers, timeout=30) as client:
                yield process, client
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
            wait_until(lambda: is_over(process), "the pod is over", interval=0.005)

    @staticmethod
    def _outbox(client: httpx.Client) -> float:
        lines = client.get("/metrics").text.splitlines()
        return next(float(line.split()[-1]) for line in lines if line.startswith("memory_outbox_entries{"))


@pytest.mark.invariant(2)
def test_no_kill_loses_revives_or_doubles_a_memory(tmp_path: Path, embedder_url: str) -> None:
    limits = Limits(requests_per_minute=100, burst=20, max_memories=10**6, max_graph_nodes=10**6)
    (tmp_path / "limits.json").write_text(limits.model_dump_json())
    (tmp_path / "ingress-token").write_text(pod.TOKEN)
    port = free_port()
    environment = {
        "LOCI_TENANT": "acme",
        "LOCI_DATA_DIR": str(tmp_path / "acme"),
        "LOCI_INGRESS_TOKEN_FILE": str(tmp_path / "ingress-token"),
        "LOCI_LIMITS_FILE": str(tmp_path / "limits.json"),
        "LOCI_EMBEDDER_URL": embedder_url,
        "LOCI_PORT": str(port),
    }
    chance = random.Random(7)  # noqa: S311 - moments of kills
    with factory(environment, tmp_path / "pods.log") as pods:
        harness, started = Harness(pods, port), time.monotonic()
        for number in range(KILLS):
            point = POINTS[number // 2 % len(POINTS)] if number % 2 else AT_RANDOM
            harness.round(number, point, chance.randint(1, 8), chance.uniform(0, 0.3))
        harness.finish()
    print(f"\n{KILLS} kills in {time.monotonic() - started:.0f} s, none lost or revived: {harness.seen}")  # noqa: T201 - the figures of `make chaos`
