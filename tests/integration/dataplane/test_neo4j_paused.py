"""A Neo4j server that is paused: it keeps its connections and does not respond."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from loci_dataplane.stores.errors import StoreUnavailableError
from loci_dataplane.stores.neo4j.database import Limits
from loci_dataplane.stores.neo4j.graph import neo4j_graph
from loci_dev.rigs.neo4j import Neo4j, neo4j
from loci_dev.rigs.pod import Pod
from loci_dev.rigs.processes import wait_until
from loci_dev.tools.catalog import MissingToolError


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Neo4j]:
    try:
        with neo4j(tmp_path_factory.mktemp("neo4j")) as running:
            yield running
    except MissingToolError as error:
        pytest.skip(str(error))


@contextlib.contextmanager
def paused(server: Neo4j) -> Iterator[None]:
    os.kill(server.process.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(server.process.pid, signal.SIGCONT)


async def test_each_call_gives_up_and_works_again_afterwards(server: Neo4j) -> None:
    async with neo4j_graph(server.url, server.auth, limits=Limits(probe=5, read=5, write=60)) as graph:
        await graph.update([], ["mem_1"], 10)  # creates the schema
        with paused(server):
            for call in (graph.check, graph.size, lambda: graph.update([], ["mem_1"], 10)):
                async with asyncio.timeout(30):
                    with pytest.raises(StoreUnavailableError, match="TimeoutError"):
                        await call()
    async with neo4j_graph(server.url, server.auth) as graph:
        await graph.update([], ["mem_1"], 10)
        assert (await graph.size()).nodes == 0


def search(client: httpx.Client, mode: str) -> tuple[set[str], list[str]]:
    answer = client.post("/v1/memories/search", json={"query": "Ada", "mode": mode, "limit": 100})
    if answer.status_code == 503:  # no retriever answers
        return set(), [mode]
    body: dict[str, Any] = answer.json()
    return {result["content"] for result in body["results"]}, body["degraded"]


def test_without_a_response_of_neo4j_indexing_goes_on_and_then_catches_up(
    server: Neo4j, embedder_url: str, tmp_path: Path
) -> None:
    (tmp_path / "password").write_text(server.password)
    environment = {"LOCI_NEO4J_URL": server.url, "LOCI_NEO4J_PASSWORD_FILE": str(tmp_path / "password")}
    pod = Pod(tmp_path, embedder_url, environment=environment)
    towns = ["Porto", "Oslo", "Turin", "Lyon"]
    stored: set[str] = set()
    with pod.running(), pod.client() as client:

        def add(town: str) -> None:
            stored.add(f"Ada visited {town}")
            assert client.post("/v1/memories", json={"content": f"Ada visited {town}"}).status_code == 201

        add(towns[0])
        wait_until(lambda: search(client, "graph") == (stored, []), "the graph is used")
        with paused(server):
            for town in towns[1:]:
                add(town)
                assert search(client, "graph") == (set(), ["graph"])
                assert search(client, "hybrid")[1] == []
                wait_until(lambda: search(client, "vector")[0] == stored, "vectors are indexed meanwhile", seconds=90)
        wait_until(lambda: search(client, "graph") == (stored, []), "the graph caught up", seconds=120)
        wait_until(lambda: client.get("/v1/usage").json()["pending"] == 0, "nothing waits", seconds=120)
        assert client.get("/v1/usage").json()["dead_letters"] == 0
