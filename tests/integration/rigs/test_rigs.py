"""Each real server of the rigs starts, serves one round trip, and is gone with its block."""

from __future__ import annotations

import secrets
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import chromadb
import httpx
import neo4j as driver
import numpy as np
import pytest
from redis.asyncio.cluster import RedisCluster as ClusterClient

from loci_dev.rigs.alertmanager import alertmanager
from loci_dev.rigs.chroma_server import chroma_server
from loci_dev.rigs.jaeger import Jaeger, jaeger
from loci_dev.rigs.neo4j import neo4j
from loci_dev.rigs.pgbouncer import pgbouncer
from loci_dev.rigs.postgres import Postgres, postgres, postgres_cluster
from loci_dev.rigs.processes import is_listening, wait_until
from loci_dev.rigs.prometheus import prometheus
from loci_dev.rigs.redis_cluster import redis_cluster
from loci_dev.tools.catalog import MissingToolError, tool

POSTGRES = "/usr/lib/postgresql/15/bin/postgres"


def needs(*names: str) -> None:
    """Skip the test, saying how to get the tools, when one is not here."""
    try:
        for name in names:
            tool(name)
    except MissingToolError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    needs(POSTGRES)
    with postgres() as running:
        yield running


@asynccontextmanager
async def session(dsn: str, **options: Any) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(dsn, timeout=10, **options)
    try:
        yield connection
    finally:
        await connection.close()


async def test_postgresql_serves_and_its_commits_reach_the_disk(server: Postgres) -> None:
    async with session(server.dsn()) as connection:
        assert await connection.fetchval("SHOW server_version_num") >= "150000"
        assert await connection.fetchval("SHOW fsync") == "on"


async def test_postgresql_lets_nobody_in_without_the_password(server: Postgres) -> None:
    for password in ("", "wrong"):
        with pytest.raises(asyncpg.InvalidPasswordError):
            async with session(server.dsn(password=password)):
                pass


async def test_postgresql_keeps_what_was_committed_when_it_is_killed() -> None:
    needs(POSTGRES)
    with postgres_cluster() as cluster:
        with cluster.running() as process:
            async with session(cluster.dsn()) as connection:
                await connection.execute("CREATE TABLE kept AS SELECT 7 AS number")
            process.kill()
            process.wait()
        with cluster.running():
            async with session(cluster.dsn()) as connection:
                assert await connection.fetchval("SELECT number FROM kept") == 7


async def test_pgbouncer_gives_roles_that_log_in_by_their_own_password_few_sessions(server: Postgres) -> None:
    needs("pgbouncer")
    password = secrets.token_urlsafe(8)
    async with session(server.dsn()) as connection:
        await connection.execute(f"CREATE ROLE pooled LOGIN PASSWORD '{password}'")
    with pgbouncer(server.cluster, default_pool_size=1) as pooler:
        dsn = pooler.dsn("pooled", password)
        async with session(dsn, statement_cache_size=0) as one, session(dsn, statement_cache_size=0) as other:
            assert await one.fetchval("SELECT session_user") == "pooled"
            backends = {await client.fetchval("SELECT pg_backend_pid()") for client in (one, other)}
            assert len(backends) == 1
        with pytest.raises(asyncpg.PostgresError, match="SASL authentication failed"):
            async with session(pooler.dsn("pooled", "wrong")):
                pass


def test_chroma_serves_and_keeps_its_data_over_a_restart(tmp_path: Path) -> None:
    with chroma_server(tmp_path) as first:
        client = chromadb.HttpClient(port=first.port)
        client.create_collection("moons").upsert(ids=["io"], embeddings=np.array([[1.0, 0.0]], np.float32))
    assert not is_listening(first.port)
    with chroma_server(tmp_path, first.port) as second:
        found = (
            chromadb.HttpClient(port=second.port)
            .get_collection("moons")
            .query(query_embeddings=np.array([[1.0, 0.1]], np.float32))
        )
        assert found["ids"] == [["io"]]


def test_neo4j_serves_by_password_and_keeps_its_data_over_a_restart(tmp_path: Path) -> None:
    needs("neo4j")
    with neo4j(tmp_path) as first, driver.GraphDatabase.driver(first.url, auth=first.auth) as client:
        client.execute_query("CREATE (:Moon {name: 'Io'})")
        with (
            driver.GraphDatabase.driver(first.url, auth=("neo4j", "wrong")) as stranger,
            pytest.raises(driver.exceptions.AuthError),
        ):
            stranger.verify_connectivity()
    with neo4j(tmp_path, first) as second, driver.GraphDatabase.driver(second.url, auth=second.auth) as client:
        assert client.execute_query("MATCH (m:Moon) RETURN m.name AS name").records[0]["name"] == "Io"


def test_prometheus_scrapes_and_its_alert_reaches_alertmanager(tmp_path: Path) -> None:
    needs("prometheus", "prometheus-alertmanager")
    rules = {"groups": [{"name": "test", "rules": [{"alert": "Up", "expr": "up == 1"}]}]}
    (tmp_path / "rules.yml").write_text(str(rules))
    routes = {"route": {"receiver": "nobody", "group_wait": "1s"}, "receivers": [{"name": "nobody"}]}
    with alertmanager(tmp_path, routes) as alerts:
        target = f"127.0.0.1:{alerts.port}"
        configuration = {
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
            "rule_files": [str(tmp_path / "rules.yml")],
            "scrape_configs": [{"job_name": "alertmanager", "static_configs": [{"targets": [target]}]}],
            "alerting": {"alertmanagers": [{"static_configs": [{"targets": [target]}]}]},
        }
        with prometheus(tmp_path, configuration) as server:
            wait_until(lambda: bool(server.query("up == 1")), "the target was scraped")
            wait_until(lambda: bool(alerts.alerts()), "the alert came")
        assert alerts.alerts()[0]["labels"]["alertname"] == "Up"


def test_jaeger_takes_spans_over_otlp_and_gives_them_back(tmp_path: Path) -> None:
    needs("jaeger")
    with jaeger(tmp_path) as server:
        sent = httpx.post(f"{server.otlp_url}/v1/traces", json=one_span("moons"), timeout=10)
        assert sent.is_success
        wait_until(lambda: bool(server.traces("moons")), "the trace can be read")
        assert [span["operationName"] for span in server.traces("moons")[0]["spans"]] == ["orbit"]
        assert listeners(server) == {"127.0.0.1"}


async def test_a_redis_cluster_serves_every_slot_and_replaces_a_lost_primary(tmp_path: Path) -> None:
    with redis_cluster(tmp_path, primaries=3, replicas=3) as cluster:
        async with ClusterClient.from_url(cluster.url) as client:
            keys = [f"t:{{tenant-{number}}}:moon" for number in range(30)]
            for key in keys:
                await client.set(key, "io")
            assert {await client.get(key) for key in keys} == {b"io"}
        cluster.primaries[0].process.kill()
        wait_until(lambda: cluster.replicas[0].call("ROLE")[0] == "master", "the replica took over")


def one_span(service: str) -> dict[str, Any]:
    start = time.time_ns()
    span = {
        "traceId": secrets.token_hex(16),
        "spanId": secrets.token_hex(8),
        "name": "orbit",
        "kind": 1,
        "startTimeUnixNano": str(start),
        "endTimeUnixNano": str(start + 1_000_000),
    }
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": service}}]}
    return {"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": [span]}]}]}


def listeners(server: Jaeger) -> set[str]:
    """The addresses that the process listens on for TCP."""
    sockets = {link.readlink().name for link in Path(f"/proc/{server.process.pid}/fd").iterdir() if link.is_symlink()}
    inodes = {name.removeprefix("socket:[").rstrip("]") for name in sockets if name.startswith("socket:")}
    lines = [
        line.split() for file in ("tcp", "tcp6") for line in Path(f"/proc/net/{file}").read_text().splitlines()[1:]
    ]
    addresses = {words[1].partition(":")[0] for words in lines if words[3] == "0A" and words[9] in inodes}
    return {"127.0.0.1" if address == "0100007F" else address for address in addresses}
