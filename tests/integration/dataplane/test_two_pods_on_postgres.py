"""Two pods of one tenant, as processes, on one PostgreSQL schema and one Chroma collection."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Final
from uuid import uuid4

import chromadb
import httpx
import pytest
from chromadb.config import Settings

from loci_contract import environment
from loci_contract import postgres as names
from loci_dataplane.stores.chroma.server import COLLECTION_CONFIGURATION
from loci_dev.rigs.chroma_server import chroma_server
from loci_dev.rigs.pod import Pod
from loci_dev.rigs.postgres import Postgres, postgres
from loci_dev.rigs.processes import wait_until
from loci_dev.rigs.redis import redis
from loci_dev.tools.catalog import MissingToolError
from loci_operator.provision.postgres.provisioner import PostgresProvisioner, Server

PASSWORD: Final = "made-up-password-of-tests"
WRITERS: Final = 64


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    try:
        with postgres() as running:
            yield running
    except MissingToolError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def chroma(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, int]]:
    with chroma_server(tmp_path_factory.mktemp("chroma")) as running:
        yield running.url, running.port


@contextlib.contextmanager
def two_pods(
    folder: Path, embedder_url: str, server: Postgres, chroma: tuple[str, int], cache: str = "", **limits: int
) -> Iterator[tuple[httpx.Client, httpx.Client]]:
    """Clients of two pods of a new tenant."""
    tenant = f"t{uuid4().hex}"
    asyncio.run(PostgresProvisioner(Server(server.dsn())).create(tenant, PASSWORD))
    (folder / "dsn").write_text(server.dsn(names.login_role(tenant), PASSWORD))
    client = chromadb.HttpClient(port=chroma[1], settings=Settings(anonymized_telemetry=False))
    made = client.create_collection(tenant, embedding_function=None, configuration=COLLECTION_CONFIGURATION)
    where = {
        environment.POSTGRES_DSN_FILE: str(folder / "dsn"),
        environment.CHROMA_URL: chroma[0],
        environment.CHROMA_COLLECTION: str(made.id),
    }
    if cache:
        (folder / "redis-url").write_text(cache)
        where[environment.REDIS_URL_FILE] = str(folder / "redis-url")
    with contextlib.ExitStack() as stack:
        clients = []
        for name in ("one", "other"):
            (folder / name).mkdir()
            pod = Pod(folder / name, embedder_url, tenant, environment=where, **limits)
            stack.enter_context(pod.running())
            clients.append(stack.enter_context(pod.client()))
        yield clients[0], clients[1]


def add(client: httpx.Client, content: str, **fields: str) -> int:
    return client.post("/v1/memories", json={"content": content, **fields}).status_code


def found(client: httpx.Client, query: str, mode: str) -> set[str]:
    answer = client.post("/v1/memories/search", json={"query": query, "mode": mode, "limit": 100})
    assert answer.status_code == 200, answer.text
    return {result["content"] for result in answer.json()["results"]}


def finds(client: httpx.Client, mode: str) -> bool:
    return found(client, "Ada in Porto", mode) == {"Ada lives in Porto"}


def facts(client: httpx.Client) -> set[tuple[str, str]]:
    answer = client.get("/v2/facts", params={"subject": "Ada", "limit": 100})
    assert answer.status_code == 200, answer.text
    return {(fact["predicate"], fact["object"]) for fact in answer.json()["facts"]}


def test_what_one_pod_stores_the_other_finds_in_every_index_and_a_deletion_too(
    tmp_path: Path, embedder_url: str, server: Postgres, chroma: tuple[str, int]
) -> None:
    with two_pods(tmp_path, embedder_url, server, chroma) as (one, other):
        assert add(one, "Ada lives in Porto") == 201
        for mode in ("keyword", "vector", "graph", "hybrid"):
            wait_until(partial(finds, other, mode), f"found by {mode}")
        wait_until(lambda: facts(other) == {("lives_in", "Porto")}, "the other pod knows the fact")
        (memory,) = one.get("/v1/memories").json()["memories"]
        assert other.delete(f"/v1/memories/{memory['id']}").status_code == 204
        for mode in ("keyword", "vector", "graph", "hybrid"):
            assert found(one, "Ada in Porto", mode) == set()
        wait_until(lambda: facts(one) == set(), "the fact is gone")


def test_both_quotas_are_exact_under_writers_of_two_pods(
    tmp_path: Path, embedder_url: str, server: Postgres, chroma: tuple[str, int]
) -> None:
    with (
        two_pods(tmp_path, embedder_url, server, chroma, max_memories=50, max_graph_nodes=40) as pods,
        ThreadPoolExecutor(WRITERS) as writers,
    ):
        statuses = list(writers.map(lambda n: add(pods[n % 2], f"Ada{n} lives in Town{n}"), range(WRITERS)))
        assert statuses.count(201) == 50
        for pod in pods:
            wait_until(partial(settled, pod), "the outbox is empty")
            usage = pod.get("/v1/usage").json()
            assert usage["memories"] == 50
            assert (usage["graph_nodes"], usage["graph_left_out"]) == (39, 50 - 13), "three nodes a memory"


@pytest.mark.parametrize("shared", [True, False], ids=["redis", "each its own cache"])
def test_no_search_after_an_acknowledged_write_is_answered_from_before_it(
    tmp_path: Path, embedder_url: str, server: Postgres, chroma: tuple[str, int], *, shared: bool
) -> None:
    with (
        redis(tmp_path) as cache,
        two_pods(tmp_path, embedder_url, server, chroma, cache.url if shared else "") as pods,
        ThreadPoolExecutor(4) as writers,
    ):
        assert sum(writers.map(partial(missed, pods), range(4))) == 0
        for _ in range(3):
            for pod in pods:
                found(pod, "writer", "hybrid")
        for pod in pods:
            ratio = re.search(r"memory_cache_hit_ratio\{.*\} (\S+)", pod.get("/metrics").text)
            assert ratio
            assert float(ratio[1]) > 0
        cache.process.kill()
        cache.process.wait()
        assert add(pods[0], "writer 9 wrote 9") == 201
        wait_until(lambda: "writer 9 wrote 9" in found(pods[1], "writer 9", "hybrid"), "searches go on")
        assert pods[1].get("/health").json()["components"]["cache"] == ("unhealthy" if shared else "healthy")


def missed(pods: tuple[httpx.Client, httpx.Client], writer: int) -> int:
    """Write to one pod, search in the other for all that this writer wrote; return how often one is not found."""
    written: set[str] = set()
    misses = 0
    for number in range(20):
        content = f"writer {writer} wrote {number}"
        assert add(pods[number % 2], content, user_id=f"u{writer}") == 201
        written.add(content)
        body = {"query": "wrote", "mode": "keyword", "limit": 100, "filters": {"user_id": f"u{writer}"}}
        results = pods[(number + 1) % 2].post("/v1/memories/search", json=body).json()["results"]
        misses += {result["content"] for result in results} != written
    return misses


def settled(pod: httpx.Client) -> bool:
    return bool(pod.post("/v1/memories/search", json={"query": "Town", "mode": "keyword"}).json().get("pending") == 0)
