"""What another tenant tries with its real credentials is refused by the server itself.

Each attack is seen succeeding once with the isolation taken away: as a superuser, in a transaction that is rolled back.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

import asyncpg
import pytest

from loci_operator.provision.postgres.provisioner import PostgresProvisioner

PASSWORD = "made-up-password-of-tests"
CONTENT = "a secret of acme"
INSERT: Final = """
INSERT INTO tenant_acme.memory VALUES (1, 'mem_1', $1, NULL, NULL, NULL, '{}', '', '', NULL, 1, '{}', '{}', '', 0)
"""
REFUSED: Final = (asyncpg.InsufficientPrivilegeError, asyncpg.InvalidAuthorizationSpecificationError)

ATTACKS: Final = {
    "read": "SELECT content FROM tenant_acme.memory",
    "read by search_path": "SET search_path = tenant_acme, pg_catalog; SELECT content FROM tenant_acme.memory",
    "count": "SELECT count(*) FROM tenant_acme.memory",
    "outbox": "SELECT memory_id FROM tenant_acme.outbox",
    "totals": "SELECT * FROM tenant_acme.totals",
    "write": "UPDATE tenant_acme.totals SET memories = 0",
    "insert": "INSERT INTO tenant_acme.outbox (memory_id) VALUES ('x')",
    "delete": "DELETE FROM tenant_acme.memory",
    "truncate": "TRUNCATE tenant_acme.memory",
    "drop": "DROP TABLE tenant_acme.memory",
    "drop schema": "DROP SCHEMA tenant_acme CASCADE",
    "sequence": "SELECT nextval('tenant_acme.revision')",
    "copy out": "COPY tenant_acme.memory TO STDOUT",
    "lock": "BEGIN; LOCK TABLE tenant_acme.memory",
    "trigger": "CREATE TRIGGER t BEFORE UPDATE ON tenant_acme.memory FOR EACH ROW"
    " EXECUTE FUNCTION pg_catalog.suppress_redundant_updates_trigger()",
    "rename": "ALTER SCHEMA tenant_acme RENAME TO mine",
    "view": "CREATE VIEW tenant_mallory.spy AS SELECT * FROM tenant_acme.memory",
    "set role": "SET ROLE tenant_acme",
    "set owner": "SET ROLE owner_acme",
    "set own owner": "SET ROLE owner_mallory",
    "set superuser": "SET ROLE postgres",
    "session authorization": "SET SESSION AUTHORIZATION tenant_acme",
    "grant role": "GRANT tenant_acme TO tenant_mallory",
    "grant table": "GRANT SELECT ON tenant_acme.memory TO tenant_mallory",
    "other's password": "ALTER ROLE tenant_acme PASSWORD 'x'",
    "become superuser": "ALTER ROLE tenant_mallory CREATEROLE",
    "no limit": "ALTER ROLE tenant_mallory CONNECTION LIMIT -1",
    "new role": "CREATE ROLE mine LOGIN",
    "new schema": "CREATE SCHEMA mine",
    "new table": "CREATE TABLE tenant_mallory.mine (x int)",
    "new table in public": "CREATE TABLE public.mine (x int)",
    "own table": "ALTER TABLE tenant_mallory.memory ADD COLUMN x int",
    "own version": "UPDATE tenant_mallory.schema_version SET version = 99",
    "drop own": "DROP TABLE tenant_mallory.memory",
    "temporary table": "CREATE TEMPORARY TABLE memory (x int)",
    "temporary function": "CREATE FUNCTION pg_temp.f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "code": "DO $$ BEGIN END $$",
    "extension": "CREATE EXTENSION citext SCHEMA tenant_mallory",
    "publication": "CREATE PUBLICATION mine FOR ALL TABLES",
    "passwords": "SELECT rolpassword FROM pg_authid",
    "role names": "SELECT rolname FROM pg_roles",
    "user names": "SELECT usename FROM pg_user",
    "schema names": "SELECT nspname FROM pg_namespace",
    "table names": "SELECT relname FROM pg_class",
    "tables": "SELECT * FROM pg_tables",
    "information schema": "SELECT table_schema FROM information_schema.tables",
    "database names": "SELECT datname FROM pg_database",
    "sessions": "SELECT usename FROM pg_stat_activity",
    "sessions by function": "SELECT * FROM pg_stat_get_activity(NULL)",
    "locks": "SELECT * FROM pg_lock_status()",
    "statistics": "SELECT * FROM pg_stats",
    "sizes": "SELECT relname, n_live_tup FROM pg_stat_user_tables",
    "role by number": "SELECT pg_get_userbyid(16384)",
    "is there a schema": "SELECT to_regnamespace('tenant_acme')",
    "may acme": "SELECT has_schema_privilege('tenant_acme', 'tenant_acme', 'USAGE')",
    "server's settings": "SELECT * FROM pg_settings",
    "settings of roles": "SELECT * FROM pg_db_role_setting",
    "file": "SELECT pg_read_file('PG_VERSION')",
    "folder": "SELECT pg_ls_dir('.')",
    "copy from file": "COPY tenant_mallory.outbox FROM '/etc/passwd'",
    "copy program": "COPY tenant_mallory.outbox (memory_id) FROM PROGRAM 'echo x'",
    "copy to program": "COPY tenant_mallory.outbox TO PROGRAM 'cat >/dev/null'",
    "large object": "SELECT lo_create(0)",
    "large object of bytes": "SELECT lo_from_bytea(0, 'x')",
    "file by large object": "SELECT lo_import('/etc/hostname')",
    "advisory lock": "SELECT pg_advisory_lock(1)",
    "advisory lock without waiting": "SELECT pg_try_advisory_xact_lock(1)",
    "sleep": "SELECT pg_sleep(0.01)",
    "message": "SELECT pg_notify('x', 'y')",
    "log": "SELECT pg_logical_emit_message(false, 'x', 'y')",
    "replication": "SET session_replication_role = replica",
    "configuration": "ALTER SYSTEM SET work_mem = '1GB'",
    "reload": "SELECT pg_reload_conf()",
    "log file": "SELECT pg_rotate_logfile()",
    "checkpoint": "CHECKPOINT",
    "statistics reset": "SELECT pg_stat_reset()",
}
# These the superuser cannot do either: the file does not fit the table, and it takes no part in a transaction.
NEVER: Final = {"copy from file", "configuration"}


@pytest.fixture(scope="module")
async def tenants(provisioner: PostgresProvisioner, session: Any) -> None:
    for tenant in ("acme", "mallory"):
        await provisioner.create(tenant, PASSWORD)
    async with session("acme") as connection:
        await connection.execute(INSERT, CONTENT)


@pytest.mark.usefixtures("tenants")
@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
async def test_the_server_refuses(session: Any, attack: str) -> None:
    async with session("mallory") as connection:
        with pytest.raises(REFUSED):
            await connection.execute(attack)


@pytest.mark.usefixtures("tenants")
@pytest.mark.parametrize("name", [name for name in ATTACKS if name not in NEVER])
async def test_the_attack_succeeds_with_the_isolation_taken_away(session: Any, name: str) -> None:
    async with session() as admin:
        transaction = admin.transaction()
        await transaction.start()
        await admin.execute(ATTACKS[name])
        await transaction.rollback()


@pytest.mark.usefixtures("tenants")
async def test_the_tenant_itself_reads_and_writes(session: Any) -> None:
    async with session("acme") as connection:
        assert await connection.fetchval("SELECT content FROM tenant_acme.memory") == CONTENT
        await connection.execute("INSERT INTO tenant_acme.outbox (memory_id) VALUES ('mem_1')")
        await connection.execute("DELETE FROM tenant_acme.outbox")


@pytest.mark.usefixtures("tenants")
async def test_no_tenant_reaches_another_database(server: Any, session: Any, provisioner: PostgresProvisioner) -> None:
    for database in ("postgres", "template1"):
        dsn = server.dsn("tenant_mallory", PASSWORD, database)
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await asyncpg.connect(dsn, timeout=10)
    async with session() as admin:
        await admin.execute("GRANT CONNECT ON DATABASE postgres TO PUBLIC")
    connection = await asyncpg.connect(server.dsn("tenant_mallory", PASSWORD), timeout=10)
    await connection.close()
    await provisioner.prepare()


@pytest.mark.usefixtures("tenants")
async def test_a_tenant_s_sessions_are_limited(session: Any) -> None:
    async with asyncio.TaskGroup() as group:
        opened = [group.create_task(hold(session)) for _ in range(25)]
    assert sum(task.result() for task in opened) <= 20


async def hold(session: Any) -> bool:
    try:
        async with session("mallory") as connection:
            await connection.execute("SELECT count(*) FROM generate_series(1, 3000000)")
    except asyncpg.TooManyConnectionsError:
        return False
    return True


@pytest.mark.usefixtures("tenants")
async def test_nobody_ends_another_s_session(session: Any) -> None:
    async with session("acme") as victim, session("mallory") as attacker:
        pid = await victim.fetchval("SELECT pg_backend_pid()")
        for function in ("pg_terminate_backend", "pg_cancel_backend"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await attacker.execute(f"SELECT {function}({pid})")
        assert await victim.fetchval("SELECT 1") == 1
