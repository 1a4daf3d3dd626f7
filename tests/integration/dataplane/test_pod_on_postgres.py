"""A tenant's pod as a process with its records in PostgreSQL, behind a pooler in transaction mode."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import httpx
import pytest

from loci_contract import postgres as names
from loci_contract.environment import POSTGRES_DSN_FILE
from loci_dev.rigs.pgbouncer import pgbouncer
from loci_dev.rigs.pod import Pod
from loci_dev.rigs.postgres import postgres
from loci_dev.rigs.processes import wait_until
from loci_dev.tools.catalog import MissingToolError
from loci_operator.provision.postgres.provisioner import PostgresProvisioner, Server

PASSWORD = "made-up-password-of-tests"


@pytest.fixture(scope="module")
def dsn() -> Iterator[str]:
    """The address of acme's schema through the pooler."""
    try:
        with postgres() as server, pgbouncer(server.cluster) as pooler:
            provisioner = PostgresProvisioner(Server(server.dsn()))
            asyncio.run(provisioner.create("acme", PASSWORD))
            yield pooler.dsn(names.login_role("acme"), PASSWORD)
    except MissingToolError as error:
        pytest.skip(str(error))


def finds(client: httpx.Client, mode: str, contents: set[str]) -> bool:
    answer = client.post("/v1/memories/search", json={"query": "otter", "mode": mode, "limit": 100})
    assert answer.status_code == 200, answer.text
    return {result["content"] for result in answer.json()["results"]} == contents


def test_a_pod_serves_from_postgresql_and_loses_nothing_when_it_is_killed(
    tmp_path: Path, embedder_url: str, dsn: str
) -> None:
    (tmp_path / "dsn").write_text(dsn + "\n")
    pod = Pod(tmp_path, embedder_url, environment={POSTGRES_DSN_FILE: str(tmp_path / "dsn")})
    stored = {f"otter {number}" for number in range(10)}
    with pod.running() as pid, pod.client() as client:
        for content in sorted(stored):
            body = {"content": content, "user_id": "ada", "metadata": {"app.version": 1.5}}
            assert client.post("/v1/memories", json=body).status_code == 201
        os.kill(pid, signal.SIGKILL)
    assert not (tmp_path / "acme" / "memories.db").exists()
    with pod.running(), pod.client() as client:
        wait_until(lambda: client.get("/v1/usage").is_success, "the pod serves")
        for mode in ("keyword", "vector", "hybrid"):
            wait_until(partial(finds, client, mode, stored), f"everything is found by {mode}")
        listed = client.get("/v1/memories", params={"user_id": "ada", "limit": 100}).json()["memories"]
        assert {memory["content"] for memory in listed} == stored
        assert client.get("/health").json()["components"]["records"] == "healthy"
    assert PASSWORD not in pod.log.read_text()
