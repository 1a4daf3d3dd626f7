"""PostgreSQL's errors as the ports' errors."""

from __future__ import annotations

from typing import Final

import asyncpg

from loci_dataplane.stores.errors import StorageFullError, StoreUnavailableError

COMPONENT: Final = "records"

FAILURES: Final = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
"""Exceptions that a connection raises."""
_UNAVAILABLE: Final = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.PostgresConnectionError,
    asyncpg.ProtocolViolationError,  # also what PgBouncer says when it cannot reach the server
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.InsufficientPrivilegeError,
    asyncpg.InsufficientResourcesError,
    asyncpg.OperatorInterventionError,  # cancelled by a timeout, or shutting down
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.IdleSessionTimeoutError,
    asyncpg.LockNotAvailableError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.PostgresSystemError,
    asyncpg.DataCorruptedError,
    asyncpg.IndexCorruptedError,
    asyncpg.InvalidSchemaNameError,
    asyncpg.UndefinedTableError,
)


def port_error(error: Exception) -> Exception:
    """Return the ports' error for a failure of the server, or the same error for a mistake in a statement."""
    if isinstance(error, asyncpg.DiskFullError):
        return StorageFullError(COMPONENT, "the volume is full")
    if isinstance(error, _UNAVAILABLE):
        return StoreUnavailableError(COMPONENT, type(error).__name__)
    return error
