"""A tenant's share of a PostgreSQL server comes, is repaired, changes its password and goes, on a real server."""

from __future__ import annotations

from typing import Any

import asyncpg
import pytest

from loci_contract import postgres as names
from loci_dev.rigs.postgres import Postgres
from loci_operator.provision.ports import DriftError, StoreAwayError
from loci_operator.provision.postgres.provisioner import PostgresProvisioner, Server

PASSWORD = "made-up-password-of-tests"
TRACES = """
SELECT (SELECT count(*) FROM pg_roles WHERE rolname ~ $1) + (SELECT count(*) FROM pg_namespace WHERE nspname ~ $1)
"""


async def test_a_share_is_empty_tables_of_the_newest_version(provisioner: PostgresProvisioner, session: Any) -> None:
    await provisioner.create("new-one", PASSWORD)
    await provisioner.verify("new-one", PASSWORD)
    async with session("new-one") as connection:
        assert await connection.fetchval("SELECT version FROM tenant_new_one.schema_version") == names.SCHEMA_VERSION
        assert await connection.fetchval("SELECT memories FROM tenant_new_one.totals") == 0
        assert await connection.fetchval("SHOW statement_timeout") == "15s"


async def test_creating_again_changes_nothing(provisioner: PostgresProvisioner, session: Any) -> None:
    await provisioner.create("steady", PASSWORD)
    async with session() as admin:
        before = await admin.fetchval("SELECT pg_current_xact_id()::text::bigint")
        await provisioner.create("steady", PASSWORD)
        assert await admin.fetchval("SELECT pg_current_xact_id()::text::bigint") == before + 1


DAMAGE = {
    "login gone": 'DROP OWNED BY "tenant_broken"; DROP ROLE "tenant_broken"',
    "password": """ALTER ROLE "tenant_broken" PASSWORD 'other'""",
    "superuser": 'ALTER ROLE "tenant_broken" SUPERUSER',
    "owner logs in": 'ALTER ROLE "owner_broken" LOGIN',
    "may create": 'GRANT CREATE ON SCHEMA tenant_broken TO "tenant_broken"',
    "no limit": 'ALTER ROLE "tenant_broken" CONNECTION LIMIT -1',
    "no timeout": 'ALTER ROLE "tenant_broken" RESET statement_timeout',
    "kept out": 'ALTER ROLE "tenant_broken" NOLOGIN',
    "no grant": 'REVOKE ALL ON tenant_broken.schema_version FROM "tenant_broken"',
    "no connection": 'REVOKE CONNECT ON DATABASE loci FROM "tenant_broken"',
    "half a schema": "DROP SCHEMA tenant_broken CASCADE; CREATE SCHEMA tenant_broken",
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
async def test_whatever_differs_is_noticed_and_repaired(
    provisioner: PostgresProvisioner, session: Any, damage: str
) -> None:
    await provisioner.create("broken", PASSWORD)
    async with session() as admin:
        await admin.execute(damage)
    with pytest.raises(DriftError):
        await provisioner.verify("broken", PASSWORD)
    await provisioner.create("broken", PASSWORD)
    await provisioner.verify("broken", PASSWORD)


async def test_creating_keeps_the_data(provisioner: PostgresProvisioner, session: Any) -> None:
    await provisioner.create("keeper", PASSWORD)
    async with session("keeper") as connection:
        await connection.execute("UPDATE tenant_keeper.totals SET memories = 7")
    async with session() as admin:
        await admin.execute("""ALTER ROLE tenant_keeper NOLOGIN""")
    await provisioner.create("keeper", "another")
    async with session("keeper", "another") as connection:
        assert await connection.fetchval("SELECT memories FROM tenant_keeper.totals") == 7


async def test_old_and_new_credentials_are_valid_until_the_old_ones_are_retired(
    provisioner: PostgresProvisioner, session: Any
) -> None:
    await provisioner.create("turning", PASSWORD)
    async with session("turning") as old:
        await provisioner.create("turning", "the new one", alternate=True)
        await provisioner.verify("turning", PASSWORD)
        await provisioner.verify("turning", "the new one", alternate=True)
        assert await old.fetchval("SELECT memories FROM tenant_turning.totals") == 0
        await provisioner.retire("turning", alternate=False)
        with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)):
            await old.fetchval("SELECT 1")
    with pytest.raises(asyncpg.InvalidPasswordError):
        async with session("turning"):
            pass
    await provisioner.retire("turning", alternate=False)
    await provisioner.verify("turning", "the new one", alternate=True)
    await provisioner.create("turning", "a third one")
    await provisioner.retire("turning", alternate=True)
    await provisioner.verify("turning", "a third one")
    with pytest.raises(DriftError):
        await provisioner.verify("turning", "the new one", alternate=True)


async def test_both_logins_may_use_what_a_migration_adds(provisioner: PostgresProvisioner, session: Any) -> None:
    await provisioner.create("grown", PASSWORD)
    await provisioner.create("grown", "the new one", alternate=True)
    async with session() as admin:
        await admin.execute("REVOKE ALL ON tenant_grown.fact FROM tenant_grown, tenant2_grown")
        await admin.execute("UPDATE tenant_grown.schema_version SET version = 2")
        await admin.execute("DROP TABLE tenant_grown.fact, tenant_grown.mention, tenant_grown.graph_memory")
        await admin.execute("DROP TABLE tenant_grown.entity, tenant_grown.graph_totals")
        await admin.execute("ALTER TABLE tenant_grown.totals DROP COLUMN generation")
    await provisioner.create("grown", "the new one", alternate=True)
    async with session("grown") as connection:
        assert await connection.fetchval("SELECT count(*) FROM tenant_grown.fact") == 0


async def test_a_purge_leaves_nothing_of_this_tenant_and_all_of_others(
    provisioner: PostgresProvisioner, session: Any
) -> None:
    await provisioner.create("gone", PASSWORD)
    await provisioner.create("gone", PASSWORD, alternate=True)
    await provisioner.create("gone-too", PASSWORD)
    async with session("gone"):
        await provisioner.purge("gone")
    async with session() as admin:
        assert await admin.fetchval(TRACES, "^(tenant2?|owner)_gone$") == 0
    await provisioner.verify("gone-too", PASSWORD)
    await provisioner.purge("gone")
    await provisioner.purge("never-was")


@pytest.mark.parametrize("steps", range(4))
async def test_a_purge_that_stopped_half_way_is_completed_by_the_next(
    provisioner: PostgresProvisioner, session: Any, steps: int
) -> None:
    half = [
        'ALTER ROLE "tenant_half" NOLOGIN',
        'DROP SCHEMA "tenant_half" CASCADE',
        'DROP OWNED BY "tenant_half"; DROP ROLE "tenant_half"',
    ]
    await provisioner.create("half", PASSWORD)
    async with session() as admin:
        for statement in half[:steps]:
            await admin.execute(statement)
        await provisioner.purge("half")
        assert await admin.fetchval(TRACES, "^(tenant|owner)_half$") == 0


@pytest.mark.parametrize("name", ["", "a_b", 'a"; DROP ROLE postgres; --', "A", "a" * 41, "system"])
async def test_a_name_that_is_no_tenant_s_is_refused(provisioner: PostgresProvisioner, name: str) -> None:
    for call in (provisioner.create, provisioner.verify):
        with pytest.raises(ValueError, match="not a valid tenant name"):
            await call(name, PASSWORD)
    with pytest.raises(ValueError, match="not a valid tenant name"):
        await provisioner.purge(name)
    with pytest.raises(ValueError, match="not a valid tenant name"):
        await provisioner.retire(name, alternate=True)


async def test_a_server_that_is_away_is_told_apart(server: Postgres) -> None:
    nobody = server.dsn(database="loci").replace(f":{server.cluster.port}/", ":1/")
    with pytest.raises(StoreAwayError):
        await PostgresProvisioner(Server(nobody)).create("acme", PASSWORD)


async def test_preparing_again_is_no_problem(provisioner: PostgresProvisioner) -> None:
    await provisioner.prepare()
