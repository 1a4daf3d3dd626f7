"""The Provisioner port on one PostgreSQL database.

A tenant gets a schema, an owner role that nobody logs in as, and a login role that may read and write rows. The server
keeps tenants apart: a login role has no rights outside its own schema, and `prepare` takes from PUBLIC what shows or
touches more than that. What remains visible to a tenant that guesses: whether a role or a schema of some name exists,
and role names by their numbers (`16400::regrole`), which PostgreSQL cannot be told to hide.

`create` first asks whether all is as it should be, so that a repeated call changes nothing. Its steps are each one
transaction and each repeatable; a crash between two is completed by the next call.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Final

import asyncpg

from loci_contract import postgres as names
from loci_contract.names import is_tenant_name
from loci_operator.provision.ports import DriftError, ProvisionError, StoreAwayError
from loci_operator.provision.postgres import statements
from loci_operator.provision.postgres.scram import verifier

_TIMEOUT: Final = 30.0
"""Seconds for a connection or a statement."""
_AWAY: Final = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.InsufficientResourcesError,
    asyncpg.QueryCanceledError,
)
_SESSIONS: Final = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = $1"


@dataclass(frozen=True)
class Server:
    """One database for many tenants.

    Args:
        dsn: address of the database, with a role that may create roles and schemas; past any pooler.
        exclusive: whether no other application uses the server; then its other databases are closed to tenants too.
        connection_limit: the most connections of one tenant's pods, pooled ones included.
    """

    dsn: str = field(repr=False)
    exclusive: bool = True
    connection_limit: int = 20


class PostgresProvisioner:
    """Provisions tenants in one database."""

    def __init__(self, server: Server) -> None:
        self._server = server

    async def prepare(self) -> None:
        """Take from PUBLIC what a tenant must not have; once for each database, as a superuser, and repeatable."""
        async with self._connected() as connection:
            await connection.execute(files(__package__).joinpath("hardening.sql").read_text())
            if self._server.exclusive:
                await connection.execute(statements.CLOSE_DATABASES)

    async def create(self, tenant: str, password: str) -> None:
        """Create the schema and the roles, bring the schema to the newest version, and let the password in."""
        try:
            await self.verify(tenant, password)
        except DriftError:
            async with self._connected() as connection:
                await self._create(connection, tenant, password)

    async def verify(self, tenant: str, password: str) -> None:
        """Check the roles, then log in as the tenant and read the schema's version."""
        login, owner, schema = names.login_role(_checked(tenant)), names.owner_role(tenant), names.schema(tenant)
        limit, settings = self._server.connection_limit, statements.settings()
        async with self._connected() as connection:
            problem = await connection.fetchval(statements.PROBLEM, login, owner, schema, limit, settings)
        if problem is not None:
            raise DriftError(problem)
        if (version := await self._seen_by(tenant, password)) != names.SCHEMA_VERSION:
            raise DriftError(f"the schema has version {version}")

    async def rotate(self, tenant: str, password: str) -> None:
        """Change the login role's password and end its sessions; pods log in again with the new one."""
        async with self._connected() as connection:
            statement = f"""ALTER ROLE "{names.login_role(_checked(tenant))}" PASSWORD '{verifier(password)}'"""
            await connection.execute(statement)
            await connection.execute(_SESSIONS, names.login_role(tenant))

    async def purge(self, tenant: str) -> None:
        """Keep the tenant out, end its sessions, and drop its schema and roles."""
        async with self._connected() as connection:
            await connection.execute(statements.close(_checked(tenant)))
            await connection.execute(_SESSIONS, names.login_role(tenant))
            for statement in statements.purge(tenant):
                await connection.execute(statement)

    async def _create(self, connection: asyncpg.Connection, tenant: str, password: str) -> None:
        database = await connection.fetchval("SELECT current_database()")
        await connection.execute(statements.roles(tenant, self._server.connection_limit, verifier(password)))
        await connection.execute(statements.schema(tenant, database))
        while (version := await _version(connection, tenant)) < names.SCHEMA_VERSION:
            await self._as_owner(connection, tenant, _step(tenant, version + 1))
        await self._as_owner(connection, tenant, names.grants(tenant))

    @staticmethod
    async def _as_owner(connection: asyncpg.Connection, tenant: str, script: str) -> None:
        async with connection.transaction():
            await connection.execute(f'SET LOCAL ROLE "{names.owner_role(tenant)}"')
            await connection.execute(script)

    async def _seen_by(self, tenant: str, password: str) -> int:
        try:
            async with self._connected(user=names.login_role(tenant), password=password) as connection:
                return await _version(connection, tenant)
        except (asyncpg.InvalidAuthorizationSpecificationError, ProvisionError) as error:
            raise DriftError("the login role is not let in, or may not read its schema") from error

    @contextlib.asynccontextmanager
    async def _connected(
        self, user: str | None = None, password: str | None = None
    ) -> AsyncIterator[asyncpg.Connection]:
        """A session, as the administrator unless told."""
        try:
            connection = await asyncpg.connect(
                self._server.dsn, user=user, password=password, timeout=_TIMEOUT, command_timeout=_TIMEOUT
            )
            try:
                yield connection
            finally:
                await connection.close(timeout=_TIMEOUT)
        except _AWAY as error:
            raise StoreAwayError(f"PostgreSQL does not answer: {type(error).__name__}") from error
        except asyncpg.InsufficientPrivilegeError as error:
            raise ProvisionError(f"PostgreSQL refuses: {error.args[0]}") from error


async def _version(connection: asyncpg.Connection, tenant: str) -> int:
    """The version of the schema; 0 for one without tables."""
    try:
        version: int = await connection.fetchval(f'SELECT version FROM "{names.schema(tenant)}".schema_version')  # noqa: S608 - the name is checked
    except asyncpg.UndefinedTableError:
        return 0
    return version


def _step(tenant: str, version: int) -> str:
    record = f'UPDATE "{names.schema(tenant)}".schema_version SET version = {version}'  # noqa: S608 - the name is checked
    return f"{names.migration(version, tenant)}\n{record};"


def _checked(tenant: str) -> str:
    if not is_tenant_name(tenant):
        raise ValueError(f"{tenant!r} is no tenant's name")
    return tenant
