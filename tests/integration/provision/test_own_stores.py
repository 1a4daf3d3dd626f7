"""Preparing a tenant's own stores: a real PostgreSQL, and a real Chroma behind the gate that the operator makes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import httpx
import pytest

from loci_contract import postgres as names
from loci_contract.chroma import COLLECTIONS, HEARTBEAT
from loci_dev.rigs.chroma_server import chroma_server
from loci_dev.rigs.ingress import envoy
from loci_dev.rigs.postgres import Postgres, postgres
from loci_dev.rigs.processes import free_port
from loci_operator.preparation import Settings, prepare
from loci_operator.specs.dedicated.chroma import envoy_config

TOKEN = "token-of-acme"
PASSWORD = "password of acme/with: signs"


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The gate's address."""
    folder, port, admin = tmp_path_factory.mktemp("gate"), free_port(), free_port()
    with chroma_server(folder) as server:
        config = envoy_config(TOKEN, port, server.port)
        # The rig asks Envoy's admin interface whether it is ready; the operator's configuration has none.
        config["admin"] = {"address": {"socket_address": {"address": "127.0.0.1", "port_value": admin}}}
        (file := folder / "envoy.json").write_text(json.dumps(config))
        with envoy(folder, file, port, admin) as proxy:
            yield proxy.url


@pytest.fixture
def settings(server: Postgres, gate: str, tmp_path: Path) -> Settings:
    (tmp_path / "admin").write_text(server.cluster.password)
    (tmp_path / "token").write_text(TOKEN)
    (tmp_path / "dsn").write_text(server.dsn(names.login_role("acme"), PASSWORD, "loci"))
    return Settings(
        tenant="acme",
        postgres_dsn_file=tmp_path / "dsn",
        postgres_admin_password_file=tmp_path / "admin",
        chroma_url=gate,
        chroma_token_file=tmp_path / "token",
        chroma_collection_file=tmp_path / "collection",
    )


async def test_pods_that_start_together_prepare_the_stores_for_the_tenants_role_and_token(settings: Settings) -> None:
    await asyncio.gather(*(prepare(settings) for _ in range(3)))
    assert settings.postgres_dsn_file
    assert settings.chroma_collection_file
    connection = await asyncpg.connect(settings.postgres_dsn_file.read_text())
    try:
        assert await connection.fetchval("SELECT count(*) FROM tenant_acme.memory") == 0
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute("DROP TABLE tenant_acme.memory")
    finally:
        await connection.close()
    url = f"{settings.chroma_url}{COLLECTIONS}/{settings.chroma_collection_file.read_text()}/count"
    async with httpx.AsyncClient(headers={"authorization": f"Bearer {TOKEN}"}) as client:
        assert (await client.get(url)).json() == 0


@pytest.mark.invariant(1)
@pytest.mark.parametrize(
    "headers",
    [{}, {"authorization": "Bearer"}, {"authorization": f"Bearer {TOKEN}x"}, {"authorization": TOKEN}],
    ids=["none", "empty", "longer", "no scheme"],
)
async def test_the_gate_lets_nobody_through_without_the_token(settings: Settings, headers: dict[str, str]) -> None:
    await prepare(settings)
    assert settings.chroma_collection_file
    collection = settings.chroma_collection_file.read_text()
    async with httpx.AsyncClient(base_url=settings.chroma_url, headers=headers) as client:
        assert (await client.get(f"{COLLECTIONS}/{collection}/count")).status_code == 403
        assert (await client.get(COLLECTIONS)).status_code == 403
        assert (await client.delete(f"{COLLECTIONS}/tenant-acme")).status_code == 403
        assert (await client.post("/api/v2/reset")).status_code == 403
        assert (await client.get(f"{HEARTBEAT}/../tenants")).status_code == 403
        assert (await client.get(HEARTBEAT)).status_code == 200


def test_the_token_opens_collections_and_nothing_else(gate: str) -> None:
    with httpx.Client(base_url=gate, headers={"authorization": f"Bearer {TOKEN}"}) as client:
        assert client.get(COLLECTIONS).status_code == 200
        assert client.post("/api/v2/reset").status_code == 403
        assert client.post("/api/v2/tenants", json={"name": "another"}).status_code == 403


async def test_a_store_that_starts_late_is_waited_for(tmp_path: Path) -> None:
    with postgres() as server:
        server.cluster.execute("CREATE DATABASE loci")
        cluster = server.cluster
        (tmp_path / "admin").write_text(cluster.password)
        (tmp_path / "dsn").write_text(cluster.dsn(names.login_role("late"), PASSWORD, "loci"))
        server.process.kill()
        server.process.wait()
        settings = Settings(
            tenant="late", postgres_dsn_file=tmp_path / "dsn", postgres_admin_password_file=tmp_path / "admin"
        )
        preparing = asyncio.create_task(prepare(settings))
        done, _ = await asyncio.wait([preparing], timeout=0.5)
        assert not done
        with cluster.running():
            await preparing
