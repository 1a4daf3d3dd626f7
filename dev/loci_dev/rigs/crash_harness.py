"""Kills pods on one tenant's data under concurrent writers, and checks each round in the next pod.

After a kill every request without a response is sent again with its key. Then the memories that are listed, found by
vector, by full text and by the graph must be exactly those that were acknowledged and not deleted, and a comparison of
the indexes with the rows must find no difference. Of most rounds the memories are deleted by filter after the check.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Iterator
from typing import Any, Final

import httpx

from loci_contract.headers import INGRESS_TOKEN
from loci_dev.rigs import pod
from loci_dev.rigs.crash_writers import Writer
from loci_dev.rigs.crashing_pod import Factory
from loci_dev.rigs.faults import ERASURE_POINTS
from loci_dev.rigs.processes import is_over, wait_until

WRITERS: Final = 6
AT_RANDOM: Final = "at random"
MODES: Final = ("vector", "keyword", "graph")
_KEPT_ROUNDS: Final = 10
"""Of every so many rounds the memories of one stay."""


class CrashHarness:
    """The rounds on one tenant's data; `seen` counts what happened in them.

    Args:
        pods: starts the pods.
        port: where they listen.
    """

    def __init__(self, pods: Factory, port: int) -> None:
        self._pods = pods
        self._url = f"http://127.0.0.1:{port}"
        self._headers = {INGRESS_TOKEN: pod.TOKEN}
        self._last: list[Writer] = []
        self._total = 0
        self.seen = dict.fromkeys(("acknowledged", "deleted", "erasures", "retried", "by fault points"), 0)

    def round(self, number: int, point: str, nth: int, delay: float) -> None:
        """Check the last round, write, and kill: at a point, passed for the nth time, or after some seconds."""
        with self._running(point, nth) as (process, client):
            self._check_last(client)
            erasing = point in ERASURE_POINTS or number % 5 == 0
            self._last = [Writer(number, n, erasing=erasing and n == 0) for n in range(WRITERS)]
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
        """Check the last round."""
        with self._running(AT_RANDOM, 1) as (_, client):
            self._check_last(client)

    def _write(self, writer: Writer, first: threading.Event) -> None:
        with httpx.Client(base_url=self._url, headers=self._headers, timeout=30) as client:
            writer.run(client, first)
            with contextlib.suppress(httpx.TransportError):  # the erasure may reach the point where the pod ends
                wait_until(lambda: not writer.unfinished(client), "its erasures are complete", seconds=60)

    def _check_last(self, client: httpx.Client) -> None:
        for writer in self._last:
            self.seen["retried"] += writer.open is not None
            writer.retry(client)
        wait_until(lambda: not any(w.unfinished(client) for w in self._last), "erasures are complete", seconds=60)
        wait_until(lambda: _metric(client, "memory_outbox_entries") == [0.0], "the outbox is empty", seconds=60)
        wait_until(lambda: len(_metric(client, "memory_index_drift")) > 1, "indexes are compared", seconds=60)
        _expect(_metric(client, "memory_index_drift"), [0.0, 0.0], "drift")
        _expect(_metric(client, "memory_dead_letters"), [0.0], "dead letters")
        kept, deleted = self._union("kept"), self._union("deleted")
        self.seen["acknowledged"] += len(kept | deleted)
        self.seen["deleted"] += len(deleted)
        self.seen["erasures"] += sum(len(writer.erasures) for writer in self._last)
        if self._last:
            self._check(client, f"round {self._last[0].round}", kept, deleted)

    def _check(self, client: httpx.Client, user: str, kept: set[str], deleted: set[str]) -> None:
        listed = client.get("/v1/memories", params={"user_id": user, "limit": 200}).raise_for_status().json()
        _expect(sorted(memory["id"] for memory in listed["memories"]), sorted(kept), "records")
        for mode in MODES:
            body = {"query": "Ada likes otters", "mode": mode, "limit": 100, "filters": {"user_id": user}}
            found = self._search(client, body)
            _expect(sorted(result["id"] for result in found["results"]), sorted(kept), mode)
        statuses = {client.get(f"/v1/memories/{memory}").status_code for memory in deleted}
        _expect(sorted(statuses), [404] if deleted else [], "statuses of deleted memories")
        self._total += len(kept)
        _expect(client.get("/v1/usage").json()["memories"], self._total, "of all rounds")
        if self._last[0].round % _KEPT_ROUNDS:
            answer = client.request("DELETE", "/v1/memories", json={"filters": {"user_id": user}}).raise_for_status()
            _expect(answer.json()["deleted"], len(kept), "deleted by filter")
            self._total -= len(kept)

    @staticmethod
    def _search(client: httpx.Client, body: dict[str, Any]) -> dict[str, Any]:
        """A search that no retriever was late for, as may happen on a busy machine."""
        answers: list[dict[str, Any]] = []

        def complete() -> bool:
            answer = client.post("/v1/memories/search", json=body)
            answers.append(answer.json())
            return answer.status_code == 200 and answers[-1]["degraded"] == []  # noqa: PLR2004 - HTTP

        wait_until(complete, "a search is complete", seconds=60)
        _expect(answers[-1]["pending"], 0, "pending")
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


def _metric(client: httpx.Client, name: str) -> list[float]:
    lines = client.get("/metrics").text.splitlines()
    return [float(line.split()[-1]) for line in lines if line.startswith(f"{name}{{")]


def _expect(found: object, expected: object, where: str) -> None:
    if found != expected:
        raise AssertionError(f"{where}: {found} instead of {expected}")
