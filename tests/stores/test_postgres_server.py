"""Records in PostgreSQL when the server, its passwords, its schema or other pods of the tenant change."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final, cast

import asyncpg
import pytest

from loci_contract import postgres as names
from loci_dataplane.model.filter import AllOf
from loci_dataplane.model.memory import Memory
from loci_dataplane.stores.errors import QuotaExceededError, StoreUnavailableError
from loci_dataplane.stores.ports import Stores
from loci_dataplane.stores.postgres import database
from loci_dataplane.stores.postgres.outbox import PostgresOutbox
from loci_dataplane.stores.postgres.stores import postgres_stores
from loci_dev.rigs.pgbouncer import PgBouncer
from loci_dev.rigs.postgres import Cluster, Postgres, postgres_cluster
from loci_dev.tools.catalog import MissingToolError
from loci_operator.provision.postgres.provisioner import PostgresProvisioner, Server

NOW: Final = datetime(2026, 1, 1, tzinfo=UTC)
MINUTE: Final = timedelta(minutes=1)
PASSWORD: Final = "made-up-password-of-tests"
EVERYTHING: Final = AllOf(())
UNUSED: Any = None


def memory(memory_id: str) -> Memory:
    return Memory(memory_id, "an otter", None, None, None, {}, NOW, NOW)


async def add(stores: Stores, memory_id: str, limit: int = 1_000) -> None:
    async with stores.transaction() as transaction:
        await transaction.add(memory(memory_id), limit)


@contextlib.asynccontextmanager
async def pod(dsn: str) -> AsyncIterator[Stores]:
    async with postgres_stores("acme", lambda: dsn, UNUSED, UNUSED) as stores:
        yield stores


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    try:
        with postgres_cluster() as made:
            yield made
    except MissingToolError as error:
        pytest.skip(str(error))


@pytest.fixture
async def dsn(postgres_server: Postgres) -> AsyncIterator[str]:
    provisioner = PostgresProvisioner(Server(postgres_server.dsn()))
    await provisioner.create("acme", PASSWORD)
    yield postgres_server.dsn(names.login_role("acme"), PASSWORD)
    await provisioner.purge("acme")


async def test_the_quota_is_exact_over_several_pods(dsn: str) -> None:
    async def tried(stores: Stores, number: int) -> bool:
        try:
            await add(stores, f"mem_{number}", 50)
        except QuotaExceededError:
            return False
        return True

    async with pod(dsn) as one, pod(dsn) as two, pod(dsn) as three:
        pods = (one, two, three)
        stored = await asyncio.gather(*(tried(pods[number % 3], number) for number in range(64)))
        assert sum(stored) == await one.records.count() == 50
        page = await two.records.page(EVERYTHING, None, 100, NOW)
        assert [found.order for found in page] == list(range(1, 51))


async def test_no_pod_s_update_is_lost_to_another_s(dsn: str) -> None:
    async def increment(stores: Stores) -> None:
        async with stores.transaction() as transaction:
            held = await transaction.get("mem_1", NOW)
            assert held is not None
            await transaction.replace(replace(held, version=held.version + 1))

    async with pod(dsn) as one, pod(dsn) as two:
        await add(one, "mem_1")
        await asyncio.gather(*(increment(pod) for pod in (one, two) * 16))
        assert (await one.records.get(["mem_1"], NOW))["mem_1"].version == 33


async def test_no_two_pods_are_given_the_same_entry(dsn: str) -> None:
    async with pod(dsn) as one, pod(dsn) as two:
        for number in range(20):
            await add(one, f"mem_{number}")
        claims = await asyncio.gather(*(p.outbox.claim(10, NOW, MINUTE) for p in (one, two, one, two)))
        ids = [entry.memory_id for entries in claims for entry in entries]
        assert len(ids) == len(set(ids)) == 20


async def test_a_dead_pod_s_entries_are_given_to_another_after_its_lease(dsn: str) -> None:
    async with pod(dsn) as dead, pod(dsn) as other:
        await add(dead, "mem_1")
        assert len(await dead.outbox.claim(10, NOW, MINUTE)) == 1
        assert await other.outbox.claim(10, NOW, MINUTE) == []
        later = NOW + MINUTE
        assert len(await other.outbox.claim(10, later, MINUTE)) == 1


async def test_a_memory_that_changes_while_a_pod_indexes_it_waits_for_that_pod(dsn: str) -> None:
    async with pod(dsn) as one, pod(dsn) as other:
        await add(one, "mem_1")
        claimed = await one.outbox.claim(10, NOW, MINUTE)
        async with other.transaction() as transaction:
            await transaction.delete(["mem_1"])
        assert await other.outbox.claim(10, NOW, MINUTE) == []
        await one.outbox.finish(claimed)
        assert [entry.memory_id for entry in await other.outbox.claim(10, NOW, MINUTE)] == ["mem_1"]


async def test_a_pod_that_is_started_again_takes_over_at_once_what_it_had_leased(dsn: str) -> None:
    async with pod(dsn) as killed, pod(dsn) as other:
        await add(killed, "mem_1")
        cast(PostgresOutbox, killed.outbox)._holder = f"{socket.gethostname()}/{os.getpid()}/1/killed"
        await add(other, "mem_2")
        assert len(await killed.outbox.claim(1, NOW, MINUTE)) == 1
        assert len(await other.outbox.claim(1, NOW, MINUTE)) == 1
        async with pod(dsn) as again:
            assert [entry.memory_id for entry in await again.outbox.claim(10, NOW, MINUTE)] == ["mem_1"]


async def test_a_late_pod_finishes_nothing_of_what_another_took_over(dsn: str) -> None:
    async with pod(dsn) as late, pod(dsn) as other:
        await add(late, "mem_1")
        claimed = await late.outbox.claim(10, NOW, MINUTE)
        await other.outbox.finish(await other.outbox.claim(10, NOW + MINUTE, MINUTE))
        async with other.transaction() as transaction:
            await transaction.delete(["mem_1"])
        await late.outbox.finish(claimed)
        assert await other.outbox.backlog() == 1


@pytest.mark.usefixtures("dsn")
async def test_many_transactions_of_several_pods_share_a_few_pooled_sessions(pooler: PgBouncer) -> None:
    pooled = pooler.dsn(names.login_role("acme"), PASSWORD)

    async def work(stores: Stores, number: int) -> None:
        await add(stores, f"mem_{number}")
        assert f"mem_{number}" in await stores.records.get([f"mem_{number}"], NOW)
        assert await stores.full_text.search(["otter"], EVERYTHING, 1, NOW)
        await stores.outbox.claim(1, NOW, MINUTE)

    async with pod(pooled) as one, pod(pooled) as two:
        await asyncio.gather(*(work(pod, number) for number, pod in enumerate((one, two) * 20)))
        assert await one.records.count() == 40


async def test_a_pod_without_traffic_holds_no_connection(
    dsn: str, postgres_server: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "_IDLE_SECONDS", 0.1)
    async with pod(dsn) as stores:
        await asyncio.gather(*(stores.records.count() for _ in range(20)))
        async with asyncio.timeout(10):
            while await sessions(postgres_server):  # noqa: ASYNC110 - only the server tells
                await asyncio.sleep(0.05)
        assert await stores.records.count() == 0


async def sessions(server: Postgres) -> int:
    async with postgres_admin(server) as connection:
        role = names.login_role("acme")
        return int(await connection.fetchval("SELECT count(*) FROM pg_stat_activity WHERE usename = $1", role))


@contextlib.asynccontextmanager
async def postgres_admin(server: Postgres) -> AsyncIterator[Any]:
    connection = await asyncpg.connect(server.dsn())
    try:
        yield connection
    finally:
        await connection.close()


async def test_a_changed_password_is_read_for_the_next_connection(dsn: str, postgres_server: Postgres) -> None:
    current = [dsn]
    async with postgres_stores("acme", lambda: current[0], UNUSED, UNUSED) as stores:
        await add(stores, "mem_1")
        provisioner = PostgresProvisioner(Server(postgres_server.dsn()))
        await provisioner.create("acme", "another", alternate=True)
        current[0] = postgres_server.dsn(names.login_role("acme", alternate=True), "another")
        assert await stores.records.count() == 1, "the old one is valid"
        await provisioner.retire("acme", alternate=False)
        with contextlib.suppress(StoreUnavailableError):
            await stores.records.count()  # the session that the change ended
        assert await stores.records.count() == 1


@pytest.mark.parametrize("version", [0, names.SCHEMA_VERSION + 2])
async def test_a_schema_of_another_release_is_refused(dsn: str, postgres_server: Postgres, version: int) -> None:
    async with postgres_admin(postgres_server) as connection:
        await connection.execute("UPDATE tenant_acme.schema_version SET version = $1", version)
    with pytest.raises(StoreUnavailableError, match=f"schema has version {version}"):
        async with pod(dsn):
            pass


async def test_what_was_acknowledged_survives_the_server_s_death_and_work_goes_on(cluster: Cluster) -> None:
    with cluster.running() as process:
        await PostgresProvisioner(Server(cluster.dsn())).create("acme", PASSWORD)
        async with pod(cluster.dsn(names.login_role("acme"), PASSWORD)) as stores:
            for number in range(10):
                await add(stores, f"mem_{number}")
            process.kill()
            process.wait()
            for _ in range(3):
                with pytest.raises(StoreUnavailableError):
                    await add(stores, "mem_lost")
                with pytest.raises(StoreUnavailableError):
                    await stores.records.check()
            with cluster.running():
                await stores.records.check()
                await add(stores, "mem_10")
                assert await stores.records.count() == 11
                assert len(await stores.records.page(EVERYTHING, None, 100, NOW)) == 11


async def test_no_error_tells_the_password(dsn: str) -> None:
    for broken in (dsn.replace("tenant_acme", "tenant_nobody"), dsn.replace("127.0.0.1", "127.0.0.9"), "nonsense"):
        with pytest.raises(StoreUnavailableError) as caught:
            async with pod(broken):
                pass
        assert PASSWORD not in str(caught.value)
