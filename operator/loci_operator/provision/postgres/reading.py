"""Checking a schema that others provisioned, with the tenant's own login."""

from __future__ import annotations

from typing import Final

import asyncpg

from loci_contract import postgres as names
from loci_operator.provision.ports import ProvisionError, StoreAwayError

_TIMEOUT: Final = 10.0
_REFUSED: Final = (
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.InsufficientPrivilegeError,
    asyncpg.InvalidSchemaNameError,
    asyncpg.UndefinedTableError,
)


async def check_schema(dsn: str, tenant: str) -> None:
    """Check that the tenant can log in and its schema is of this version.

    Raises:
        StoreAwayError: the server does not answer.
        ProvisionError: the login is refused, or the schema is missing or of another version.
    """
    try:
        connection = await asyncpg.connect(dsn, timeout=_TIMEOUT, command_timeout=_TIMEOUT, statement_cache_size=0)
        try:
            version = await connection.fetchval(f'SELECT version FROM "{names.schema(tenant)}".schema_version')  # noqa: S608 - a tenant's name is checked
        finally:
            await connection.close(timeout=_TIMEOUT)
    except _REFUSED as error:
        raise ProvisionError(
            f"PostgreSQL refuses the tenant's login, or has no schema for it: {error.args[0]}"
        ) from error
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise StoreAwayError(f"PostgreSQL is unavailable: {type(error).__name__}") from error
    if version != names.SCHEMA_VERSION:
        raise ProvisionError(f"The schema in PostgreSQL has version {version}, and {names.SCHEMA_VERSION} is needed")
