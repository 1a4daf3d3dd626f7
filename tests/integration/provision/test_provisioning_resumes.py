"""Provisioning that is killed between any two of its steps is completed by the next attempt, for each store.

A step is one command to the server. PostgreSQL is provisioned by a superuser, and by an administrator without (as of a
managed server).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from typing import Any, Final

import asyncpg
import pytest

from loci_contract import postgres as names
from loci_dev.rigs.postgres import Postgres, postgres
from loci_dev.rigs.redis import redis as redis_server
from loci_dev.tools.catalog import MissingToolError
from loci_operator.provision.ports import DriftError, Provisioner, StoreAwayError
from loci_operator.provision.postgres.provisioner import PostgresProvisioner, Server
from loci_operator.provision.redis import provisioner as redis_module

PASSWORD: Final = "made-up-password-of-tests"
ADMIN: Final = "managed_admin"


class KilledError(Exception):
    """The process was killed."""


class Steps:
    """Counts steps, and kills before the one with number `last` + 1."""

    def __init__(self) -> None:
        self.last: int | None = None
        self.taken = 0

    def take(self) -> None:
        if self.last is not None and self.taken >= self.last:
            raise KilledError
        self.taken += 1


class Connection:
    """A connection to PostgreSQL whose statements are steps; it is lost with the process."""

    def __init__(self, connection: asyncpg.Connection, steps: Steps) -> None:
        self._connection = connection
        self._steps = steps

    def __getattr__(self, name: str) -> Any:
        member = getattr(self._connection, name)
        if name not in {"execute", "fetch", "fetchval"}:
            return member

        async def step(*arguments: Any) -> Any:
            try:
                self._steps.take()
            except KilledError:
                self._connection.terminate()
                raise
            return await member(*arguments)

        return step


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> Steps:
    counted, connect, run = Steps(), asyncpg.connect, redis_module._Nodes.run

    async def counting_connect(*arguments: Any, **options: Any) -> Any:
        return Connection(await connect(*arguments, **options), counted)

    async def counting_run(nodes: Any, *words: str) -> Any:
        counted.take()
        return await run(nodes, *words)

    monkeypatch.setattr(asyncpg, "connect", counting_connect)
    monkeypatch.setattr(redis_module._Nodes, "run", counting_run)
    return counted


@pytest.fixture(scope="module")
def managed_server() -> Iterator[Postgres]:
    """A server with a role that has CREATEROLE and CREATEDB, and is no superuser."""
    try:
        with postgres() as running:
            running.cluster.execute(f"CREATE ROLE {ADMIN} LOGIN CREATEROLE CREATEDB PASSWORD '{PASSWORD}'")
            yield running
    except MissingToolError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
async def managed(managed_server: Postgres) -> PostgresProvisioner:
    """The provisioner of a database that belongs to this role."""
    connection = await asyncpg.connect(managed_server.dsn(ADMIN, PASSWORD, "template1"))
    await connection.execute("CREATE DATABASE managed")
    await connection.close()
    made = PostgresProvisioner(Server(managed_server.dsn(ADMIN, PASSWORD, "managed"), exclusive=False))
    await made.prepare()
    return made


@pytest.fixture(scope="module")
def redis_provisioner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[redis_module.RedisProvisioner]:
    try:
        with redis_server(tmp_path_factory.mktemp("redis")) as running:
            yield redis_module.RedisProvisioner(redis_module.Server(running.url))
    except MissingToolError as error:
        pytest.skip(str(error))


@pytest.fixture(params=["provisioner", "managed", "redis_provisioner"])
def store(request: pytest.FixtureRequest) -> Provisioner:
    made: Provisioner = request.getfixturevalue(request.param)
    return made


async def killed_at_every_step(
    steps: Steps, call: Callable[[], Awaitable[None]], again: Callable[[], Awaitable[None]]
) -> int:
    """Run `call` killed after 0, 1, 2, ... steps, each time followed by `again`; return how many kills there were."""
    for number in range(1_000):
        steps.last, steps.taken = number, 0
        try:
            await call()
        except (KilledError, StoreAwayError):  # the latter where the lost connection is noticed first
            assert steps.taken == number
            steps.last = None
            await again()
        else:
            steps.last = None
            return number
    raise AssertionError("it has no end")


async def test_creating_is_completed(store: Provisioner, steps: Steps) -> None:
    await store.purge("halted")

    async def again() -> None:
        await store.create("halted", PASSWORD)
        await store.verify("halted", PASSWORD)
        await store.purge("halted")

    assert await killed_at_every_step(steps, lambda: store.create("halted", PASSWORD), again) >= 2
    await store.verify("halted", PASSWORD)


async def test_a_rotation_is_completed_and_one_login_is_valid_at_any_time(store: Provisioner, steps: Steps) -> None:
    await store.purge("halted")
    await store.create("halted", PASSWORD)
    old = [PASSWORD, False]

    async def rotate() -> None:
        await store.create("halted", "new", alternate=not old[1])
        await store.retire("halted", alternate=bool(old[1]))

    async def again() -> None:
        try:
            await store.verify("halted", str(old[0]), alternate=bool(old[1]))
        except DriftError:
            await store.verify("halted", "new", alternate=not old[1])
        await rotate()
        await store.verify("halted", "new", alternate=not old[1])
        with pytest.raises(DriftError):
            await store.verify("halted", str(old[0]), alternate=bool(old[1]))
        old[:] = ["new", not old[1]]

    assert await killed_at_every_step(steps, rotate, again) >= 3


async def test_a_purge_is_completed_and_a_new_share_is_as_new(store: Provisioner, steps: Steps) -> None:
    await store.purge("halted")
    await store.create("halted", PASSWORD)
    await store.create("halted", "new", alternate=True)

    async def again() -> None:
        await store.purge("halted")
        for alternate in (False, True):
            with pytest.raises(DriftError):
                await store.verify("halted", PASSWORD, alternate=alternate)
        assert await store.holder("halted") is None
        await store.create("halted", PASSWORD)
        await store.create("halted", "new", alternate=True)

    assert await killed_at_every_step(steps, lambda: store.purge("halted"), again) >= 2


async def test_a_retained_share_is_adopted_with_its_data(
    managed: PostgresProvisioner, managed_server: Postgres
) -> None:
    await managed.create("kept", PASSWORD)
    await managed.hand_over("kept", "uid-1")
    connection = await asyncpg.connect(managed_server.dsn(names.login_role("kept"), PASSWORD, "managed"))
    await connection.execute("UPDATE tenant_kept.totals SET memories = 7")
    await connection.close()
    assert await managed.holder("kept") == "uid-1"
    await managed.create("kept", "another", alternate=True)
    await managed.hand_over("kept", "uid-2")
    await managed.retire("kept", alternate=False)
    assert await managed.holder("kept") == "uid-2"
    role = names.login_role("kept", alternate=True)
    connection = await asyncpg.connect(managed_server.dsn(role, "another", "managed"))
    assert await connection.fetchval("SELECT memories FROM tenant_kept.totals") == 7
    await connection.close()
    await managed.purge("kept")


REFUSED_EVERYWHERE: Final = [
    "SELECT * FROM tenant_victim.memory",
    "SELECT count(*) FROM tenant_victim.entity",
    "UPDATE tenant_victim.totals SET memories = 0",
    "DROP SCHEMA tenant_victim CASCADE",
    "SET ROLE tenant_victim",
    "SET ROLE owner_attacker",
    "SET ROLE managed_admin",
    "CREATE TABLE tenant_attacker.mine (x int)",
    "CREATE TABLE public.mine (x int)",
    "CREATE TEMPORARY TABLE mine (x int)",
    "CREATE SCHEMA mine",
    "CREATE ROLE mine",
    "ALTER ROLE tenant_victim PASSWORD 'x'",
    "GRANT tenant_victim TO tenant_attacker",
    "COPY (SELECT 1) TO PROGRAM 'true'",
    "SELECT pg_read_file('PG_VERSION')",
    "ALTER SYSTEM SET work_mem = '1GB'",
]


@pytest.mark.invariant(1)
async def test_a_managed_server_keeps_tenants_apart(managed: PostgresProvisioner, managed_server: Postgres) -> None:
    for tenant in ("victim", "attacker"):
        await managed.create(tenant, PASSWORD)
    connection = await asyncpg.connect(managed_server.dsn(names.login_role("attacker"), PASSWORD, "managed"))
    try:
        for attack in REFUSED_EVERYWHERE:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(attack)
    finally:
        await connection.close()
    for tenant in ("victim", "attacker"):
        await managed.purge(tenant)
