"""A pod whose volume is full: what it refuses, what goes on, and that it recovers without a restart."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from loci_dev.rigs.full_disk import filled, small_volume
from loci_dev.rigs.pod import Pod
from loci_dev.rigs.processes import wait_until


@pytest.fixture
def volume(tmp_path: Path) -> Iterator[Path]:
    with small_volume(tmp_path / "acme") as folder:
        yield folder


def store(client: httpx.Client, content: str = "an otter") -> httpx.Response:
    return client.post("/v1/memories", json={"content": content, "metadata": {"padding": "x" * 16_000}})


def found(client: httpx.Client, query: str, mode: str = "hybrid") -> list[str]:
    response = client.post("/v1/memories/search", json={"query": query, "mode": mode})
    assert response.status_code == 200, response.text
    return [result["content"] for result in response.json()["results"]]


def health(client: httpx.Client) -> tuple[int, str, str]:
    response = client.get("/health")
    return response.status_code, response.json()["status"], response.json()["components"]["records"]


def test_a_full_volume_refuses_writes_serves_reads_and_recovers(
    tmp_path: Path, volume: Path, embedder_url: str
) -> None:
    pod = Pod(tmp_path, embedder_url)
    with pod.running(), pod.client() as client:
        kept = store(client).json()["id"]
        wait_until(lambda: found(client, "otter", "vector") == ["an otter"], "the memory is indexed")
        with filled(volume):
            refused = next(r for r in (store(client, f"badger {n}") for n in range(1_000)) if r.status_code != 201)
            assert (refused.status_code, refused.json()["error"]) == (507, "storage_full")
            assert refused.headers["retry-after"] == "30"
            assert health(client) == (200, "degraded", "degraded")
            assert client.get("/readyz").status_code == 200
            assert client.get(f"/v1/memories/{kept}").status_code == 200
            assert client.get("/v1/memories").status_code == 200
            for mode in ("hybrid", "vector", "keyword"):
                assert "an otter" in found(client, "otter", mode)
        wait_until(lambda: health(client) == (200, "healthy", "healthy"), "the pod is healthy again")
        assert store(client, "a heron").status_code == 201
        wait_until(lambda: "a heron" in found(client, "heron", "vector"), "new memories are indexed")
        assert found(client, "heron", "keyword") == ["a heron"]
    assert "badger" not in pod.log.read_text()


def test_a_pod_that_starts_on_a_full_volume_serves_once_there_is_space(
    tmp_path: Path, volume: Path, embedder_url: str
) -> None:
    pod = Pod(tmp_path, embedder_url)
    with pod.running(), pod.client() as client:
        kept = store(client).json()["id"]
    with filled(volume), pod.running(ready="/livez"), pod.client() as client:
        refused = client.get(f"/v1/memories/{kept}")
        assert (refused.status_code, refused.json()["error"]) == (503, "service_unavailable")
        assert "not serving" in refused.json()["message"]
        ready = client.get("/readyz")
        assert ready.status_code == 503
        assert ready.json()["component"] in {"records", "vectors"}  # whichever cannot be opened first
        (volume / "ballast").write_bytes(b"")
        wait_until(lambda: client.get(f"/v1/memories/{kept}").status_code == 200, "the pod serves")
        assert client.get("/readyz").status_code == 200
        assert store(client, "a heron").status_code == 201
