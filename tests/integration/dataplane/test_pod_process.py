"""The data plane as a process: restarts, `kill -9`, what it logs."""

from __future__ import annotations

import json
import os
import signal
import threading
from pathlib import Path

import httpx
import pytest

from loci_dev.rigs.pod import TOKEN, Pod
from loci_dev.rigs.processes import free_port, wait_until

MODES = ("hybrid", "vector", "keyword")
LOGGED = {"timestamp", "level", "event", "tenant_id", "request_id", "trace_id", "method", "path", "status"}
LOGGED |= {"latency_ms", "entities_returned"}


def store(client: httpx.Client, content: str) -> str:
    answer = client.post("/v1/memories", json={"content": content})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def found(client: httpx.Client, mode: str) -> set[str]:
    answer = client.post("/v1/memories/search", json={"query": "otter", "mode": mode, "limit": 100})
    assert answer.status_code == 200, answer.text
    return {result["id"] for result in answer.json()["results"]}


def outbox(client: httpx.Client) -> float:
    lines = client.get("/metrics").text.splitlines()
    return next(float(line.split()[-1]) for line in lines if line.startswith("memory_outbox_entries{"))


def test_a_restart_keeps_everything(tmp_path: Path, embedder_url: str) -> None:
    pod = Pod(tmp_path, embedder_url)
    with pod.running(), pod.client() as client:
        stored = {store(client, f"otter {i}") for i in range(5)}
    assert sorted(path.name for path in (tmp_path / "acme").iterdir()) == ["chroma", "memories.db"], "closed in order"
    with pod.running(), pod.client() as client:
        wait_until(lambda: outbox(client) == 0, "the outbox is empty")
        assert all(found(client, mode) == stored for mode in MODES)
        assert {memory["id"] for memory in client.get("/v1/memories").json()["memories"]} == stored


class Writer(threading.Thread):
    """Writes and deletes until the connection breaks; keeps what was acknowledged."""

    def __init__(self, pod: Pod, name: int) -> None:
        super().__init__()
        self._pod = pod
        self._name = name
        self.stored: set[str] = set()
        self.deleted: set[str] = set()
        self._in_doubt: str | None = None

    def run(self) -> None:
        with self._pod.client() as client:
            try:
                for number in range(25):
                    memory = store(client, f"otter {self._name} {number}")
                    self.stored.add(memory)
                    if number % 3 == 0:
                        self._in_doubt = memory
                        assert client.delete(f"/v1/memories/{memory}").status_code == 204
                        self.deleted.add(memory)
                        self._in_doubt = None
            except httpx.TransportError:
                return

    @property
    def kept(self) -> set[str]:
        return self.stored - self.deleted - {self._in_doubt}


@pytest.mark.invariant(2)
@pytest.mark.parametrize(("acknowledged", "embedder_works"), [(1, True), (12, True), (40, True), (20, False)])
def test_kill_9_loses_nothing_acknowledged_and_revives_nothing_deleted(
    tmp_path: Path, embedder_url: str, *, acknowledged: int, embedder_works: bool
) -> None:
    pod = Pod(tmp_path, embedder_url if embedder_works else f"http://127.0.0.1:{free_port()}")
    with pod.running() as process:
        writers = [Writer(pod, number) for number in range(4)]
        for writer in writers:
            writer.start()
        wait_until(lambda: sum(len(w.stored) for w in writers) >= acknowledged, "enough was acknowledged", interval=0)
        os.kill(process, signal.SIGKILL)
        for writer in writers:
            writer.join()
    kept = set[str]().union(*(writer.kept for writer in writers))
    deleted = set[str]().union(*(writer.deleted for writer in writers))
    pod.embedder_url = embedder_url
    with pod.running(), pod.client() as client:
        wait_until(lambda: outbox(client) == 0, "the outbox is empty", seconds=90)
        assert all(client.get(f"/v1/memories/{memory}").status_code == 200 for memory in kept)
        assert all(client.get(f"/v1/memories/{memory}").status_code == 404 for memory in deleted)
        for mode in MODES:
            assert kept <= found(client, mode)
            assert not deleted & found(client, mode)


@pytest.mark.invariant(5)
def test_logs_say_what_happened_and_nothing_that_was_said(tmp_path: Path, embedder_url: str) -> None:
    pod = Pod(tmp_path, embedder_url)
    with pod.running(), pod.client() as client:
        memory = {"content": "canary content", "user_id": "canary-user", "metadata": {"canary-key": "canary value"}}
        stored = client.post("/v1/memories", json=memory).json()["id"]
        client.get(f"/v1/memories/{stored}")
        client.patch(f"/v1/memories/{stored}", json={"content": "canary again"})
        client.get("/v1/memories", params={"user_id": "canary-user"})
        for mode in MODES:
            client.post("/v1/memories/search", json={"query": "canary query", "mode": mode})
        client.post("/v1/memories", json={"content": ["canary"], "canary-field": 1})
        client.post("/v1/memories", content=b"canary")
        client.post("/v1/memories", json={"content": "canary" * 100_000})
        client.get("/v1/memories/mem_canary")
        client.get("/canary")
        with pod.client("canary-token") as stranger:
            stranger.get("/v1/memories", headers={"authorization": "Bearer sk-canary-key"})
        metrics = client.get("/metrics").text
    logged = pod.log.read_text()
    for secret in ("canary", TOKEN):
        assert secret not in logged + metrics
    requests = [line for line in map(json.loads, logged.splitlines()) if line["event"] == "request"]
    assert len(requests) == 13
    assert all(line.keys() == LOGGED and line["tenant_id"] == "acme" for line in requests)
    assert requests[1]["path"] == "/v1/memories/{memory_id}"
    assert requests[3]["entities_returned"] == 1


def test_metrics_have_the_names_that_dashboards_know(tmp_path: Path, embedder_url: str) -> None:
    pod = Pod(tmp_path, embedder_url)
    with pod.running(), pod.client() as client:
        store(client, "otter")
        client.get("/v1/memories/mem_unknown")
        wait_until(lambda: outbox(client) == 0, "the outbox is empty")
        lines = client.get("/metrics").text.splitlines()
    for line in (
        'memory_requests_total{method="add",status="201",tenant="acme"} 1.0',
        'memory_requests_total{method="get",status="404",tenant="acme"} 1.0',
        'memory_request_duration_seconds_count{method="add",tenant="acme"} 1.0',
        'memory_entities_count{tenant="acme"} 1.0',
        'memory_cache_hit_ratio{tenant="acme"} 0.0',
        'memory_outbox_entries{tenant="acme"} 0.0',
    ):
        assert line in lines


def test_limits_change_without_a_restart(tmp_path: Path, embedder_url: str) -> None:
    pod = Pod(tmp_path, embedder_url, max_memories=1)
    with pod.running(), pod.client() as client:
        store(client, "otter")
        assert client.post("/v1/memories", json={"content": "one too many"}).status_code == 403
        limits = json.loads((tmp_path / "limits.json").read_text())
        (tmp_path / "new.json").write_text(json.dumps({**limits, "max_memories": 2}))
        (tmp_path / "new.json").replace(tmp_path / "limits.json")
        store(client, "room now")
