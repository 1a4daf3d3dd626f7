"""A PostgreSQL server that is prepared for tenants."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import asyncpg
import pytest

from loci_contract import postgres as names
from loci_dev.rigs.postgres import SUPERUSER, Postgres, postgres
from loci_dev.tools.catalog import MissingToolError
from loci_operator.provision.postgres.provisioner import PostgresProvisioner, Server

PASSWORD = "made-up-password-of-tests"
Session = Callable[..., AbstractAsyncContextManager[asyncpg.Connection]]
Execute = Callable[[str], Awaitable[None]]


@pytest.fixture(scope="session")
def server() -> Iterator[Postgres]:
    try:
        with postgres() as running:
            running.cluster.execute("CREATE DATABASE loci")
            yield running
    except MissingToolError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
async def provisioner(server: Postgres) -> PostgresProvisioner:
    made = PostgresProvisioner(Server(server.dsn(database="loci")))
    await made.prepare()
    return made


@pytest.fixture(scope="session")
def session(server: Postgres) -> Session:
    """Open a session as a tenant with its password, or as the superuser."""

    @asynccontextmanager
    async def opened(tenant: str | None = None, password: str = PASSWORD) -> AsyncIterator[asyncpg.Connection]:
        user = names.login_role(tenant) if tenant else SUPERUSER
        connection = await asyncpg.connect(server.dsn(user, password if tenant else None, "loci"), timeout=10)
        try:
            yield connection
        finally:
            await connection.close()

    return opened
