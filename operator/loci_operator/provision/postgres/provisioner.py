"""Provisioner of tenants in a shared PostgreSQL database.

A tenant gets a schema, an owner role without login, and a login role that may read and write rows. PostgreSQL isolates
the tenants: a login role has no privileges outside its own schema, and `prepare` revokes the privileges of PUBLIC that
expose more. A tenant can still find out whether a role or schema of a guessed name exists, and role names by oid
(`16400::regrole`); PostgreSQL cannot hide these.

`create` verifies first, so that a repeated call changes nothing. Each of its steps is one idempotent transaction; after
a crash between two of them, the next call completes the rest.
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
"""Timeout of a connection attempt and of a statement, seconds."""
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
    """A PostgreSQL database shared by tenants.

    Args:
        dsn: connection string of a superuser, or of the database's owner with CREATEROLE; not through a pooler.
        exclusive: whether Loci is the server's only application; access to its other databases is then revoked too.
        connection_limit: maximum connections per tenant, including pooled ones.
    """

    dsn: str = field(repr=False)
    exclusive: bool = True
    connection_limit: int = 20


class PostgresProvisioner:
    """Provisions tenants in one database."""

    def __init__(self, server: Server) -> None:
        self._server = server

    async def prepare(self) -> None:
        """Revoke privileges of PUBLIC that tenants must not have; once for each database, and repeatable.

        An administrator who is no superuser (of a managed server) can revoke those on the database alone.
        """
        async with self._connected() as connection:
            if not await connection.fetchval(statements.IS_SUPERUSER):
                await _close_database(connection)
                return
            await connection.execute(files(__package__).joinpath("hardening.sql").read_text())
            if self._server.exclusive:
                await connection.execute(statements.CLOSE_DATABASES)

    async def create(self, tenant: str, password: str, *, alternate: bool = False) -> None:
        """Create the schema and roles, migrate the schema to the latest version, and set the password."""
        try:
            await self.verify(tenant, password, alternate=alternate)
        except DriftError:
            async with self._connected() as connection:
                await self._create(connection, tenant, _role(tenant, alternate=alternate), password)

    async def holder(self, tenant: str) -> str | None:
        """The uid that the schema's comment names; None without a schema or a comment."""
        async with self._connected() as connection:
            uid: str | None = await connection.fetchval(statements.HOLDER, names.schema(_checked(tenant)))
        return uid

    async def hand_over(self, tenant: str, uid: str) -> None:
        """Note the tenant object's uid as the schema's comment."""
        async with self._connected() as connection:
            await connection.execute(statements.hand_over(_checked(tenant), uid))

    async def verify(self, tenant: str, password: str, *, alternate: bool = False) -> None:
        """Check the roles, then log in as the tenant and read the schema version."""
        role, owner, schema = _role(tenant, alternate=alternate), names.owner_role(tenant), names.schema(tenant)
        limit, settings = self._server.connection_limit, statements.settings()
        async with self._connected() as connection:
            problem = await connection.fetchval(statements.PROBLEM, role, owner, schema, limit, settings)
        if problem is not None:
            raise DriftError(problem)
        if (version := await self._seen_by(tenant, role, password)) != names.SCHEMA_VERSION:
            raise DriftError(f"the schema has version {version}")

    async def retire(self, tenant: str, *, alternate: bool) -> None:
        """Drop a login role, ending its sessions."""
        role = _role(tenant, alternate=alternate)
        async with self._connected() as connection:
            await _end(connection, role)
            await connection.execute(statements.drop_role(role))

    async def purge(self, tenant: str) -> None:
        """Revoke the tenant's logins, terminate their sessions, and drop its schema and roles."""
        logins = statements.logins(_checked(tenant))
        async with self._connected() as connection:
            for login in logins:
                await _end(connection, login)
            for statement in statements.purge(tenant):
                await connection.execute(statement)

    async def _create(self, connection: asyncpg.Connection, tenant: str, role: str, password: str) -> None:
        database = await connection.fetchval("SELECT current_database()")
        owner, limit = names.owner_role(tenant), self._server.connection_limit
        as_superuser = await connection.fetchval(statements.IS_SUPERUSER)
        secret = verifier(password)
        await connection.execute(statements.roles(owner, role, limit, secret, as_superuser=as_superuser))
        await connection.execute(statements.schema(tenant, role, database))
        while (version := await _version(connection, tenant)) < names.SCHEMA_VERSION:
            await self._as_owner(connection, tenant, _step(tenant, version + 1))
        for row in await connection.fetch(statements.LOGINS, statements.logins(tenant)):
            await self._as_owner(connection, tenant, names.grants(tenant, row["rolname"]))

    @staticmethod
    async def _as_owner(connection: asyncpg.Connection, tenant: str, script: str) -> None:
        async with connection.transaction():
            await connection.execute(f'SET LOCAL ROLE "{names.owner_role(tenant)}"')
            await connection.execute(script)

    async def _seen_by(self, tenant: str, role: str, password: str) -> int:
        try:
            async with self._connected(user=role, password=password) as connection:
                return await _version(connection, tenant)
        except (asyncpg.InvalidAuthorizationSpecificationError, ProvisionError) as error:
            raise DriftError("the login role cannot log in, or may not read its schema") from error

    @contextlib.asynccontextmanager
    async def _connected(
        self, user: str | None = None, password: str | None = None
    ) -> AsyncIterator[asyncpg.Connection]:
        """A connection, as the administrator by default."""
        try:
            connection = await asyncpg.connect(
                self._server.dsn, user=user, password=password, timeout=_TIMEOUT, command_timeout=_TIMEOUT
            )
            try:
                yield connection
            finally:
                await connection.close(timeout=_TIMEOUT)
        except _AWAY as error:
            raise StoreAwayError(f"PostgreSQL is unavailable: {type(error).__name__}") from error
        except asyncpg.InsufficientPrivilegeError as error:
            raise ProvisionError(f"PostgreSQL rejected the operation: {error.args[0]}") from error


async def _close_database(connection: asyncpg.Connection) -> None:
    await connection.execute(statements.CLOSE_DATABASE)
    if await connection.fetchval(statements.IS_OPEN):
        raise ProvisionError("PostgreSQL keeps the database open to every role: its owner must be the administrator")


async def _end(connection: asyncpg.Connection, login: str) -> None:
    """Revoke a role's right to log in, and terminate its sessions."""
    await connection.execute(statements.close(login))
    await connection.execute(_SESSIONS, login)


async def _version(connection: asyncpg.Connection, tenant: str) -> int:
    """Schema version; 0 if the schema has no tables yet."""
    try:
        version: int = await connection.fetchval(f'SELECT version FROM "{names.schema(tenant)}".schema_version')  # noqa: S608 - the name is checked
    except asyncpg.UndefinedTableError:
        return 0
    return version


def _step(tenant: str, version: int) -> str:
    record = f'UPDATE "{names.schema(tenant)}".schema_version SET version = {version}'  # noqa: S608 - the name is checked
    return f"{names.migration(version, tenant)}\n{record};"


def _role(tenant: str, *, alternate: bool) -> str:
    return names.login_role(_checked(tenant), alternate=alternate)


def _checked(tenant: str) -> str:
    if not is_tenant_name(tenant):
        raise ValueError(f"{tenant!r} is not a valid tenant name")
    return tenant
