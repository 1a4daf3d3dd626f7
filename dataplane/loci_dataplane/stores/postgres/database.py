"""A tenant's schema in PostgreSQL, reached by a small pool of connections that an idle tenant gives back.

Everything works behind a pooler in transaction mode, where each transaction may run in another session: all statements
run in a transaction, all names are qualified by their schema, no statement is prepared for later, and nothing is set
in a session. A read is one transaction of four round trips.

A write transaction locks a row of totals first, so that a tenant's writers follow one another, over all of its pods:
the quota is exact, positions follow the order of commits, and no two writers wait for each other. The graph has totals
of its own, so that writers of memories do not wait for it. In this process they wait on an asyncio lock, so that they
hold one connection and readers find the others free. A commit is on the server's disk (`synchronous_commit` is the
server's default, on).

Locking `totals` also gives them a new `generation`, which tells every pod that what it cached is out of date.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any, Final, Protocol

import asyncpg

from loci_contract import postgres as names
from loci_dataplane.stores.errors import StoreError, StoreUnavailableError
from loci_dataplane.stores.postgres.failures import COMPONENT, FAILURES, port_error

_CONNECTIONS: Final = 6
_IDLE_SECONDS: Final = 20.0
"""An unused connection is closed after this time; a pod without traffic holds none."""
_CONNECT_SECONDS: Final = 5.0
_STATEMENT_SECONDS: Final = 10.0
_ACQUIRE_SECONDS: Final = 5.0
MEMORIES: Final = "UPDATE {schema}.totals SET generation = gen_random_uuid()"
OUTBOX: Final = "SELECT FROM {schema}.totals FOR UPDATE"
GRAPH: Final = "SELECT FROM {schema}.graph_totals FOR UPDATE"
"""Statements that lock out other write transactions; `OUTBOX` is for changes that no search shows."""


class Session(Protocol):
    """A connection in a transaction."""

    async def execute(self, query: str, *args: object) -> str:
        """Run a statement."""

    async def fetch(self, query: str, *args: object) -> list[asyncpg.Record]:
        """Return all rows."""

    async def fetchrow(self, query: str, *args: object) -> asyncpg.Record | None:
        """Return the first row."""

    async def fetchval(self, query: str, *args: object) -> Any:
        """Return the first value of the first row."""


class Database:
    """The schema, between `open` and `close`.

    Args:
        tenant: the tenant's name, of which the schema's name is made.
        dsn: returns the server's address with the tenant's role; asked for each connection, since passwords change.
    """

    def __init__(self, tenant: str, dsn: Callable[[], str]) -> None:
        self.schema = f'"{names.schema(tenant)}"'
        """The schema's name as it is written in statements."""
        self._dsn = dsn
        turn = asyncio.Lock()
        self._turns = {MEMORIES: turn, OUTBOX: turn, GRAPH: asyncio.Lock()}
        self._pool: asyncpg.Pool[asyncpg.Record]
        self.write_failed = False
        """Whether the last transaction failed because of the server."""

    async def open(self) -> None:
        """Get ready; StoreUnavailableError when the schema cannot be used."""
        self._pool = await asyncpg.create_pool(
            min_size=0,
            max_size=_CONNECTIONS,
            max_inactive_connection_lifetime=_IDLE_SECONDS,
            connect=self._connect,
            reset=_keep,
        )
        try:
            async with self.reading():
                pass
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """Close all connections; those that a dead server holds up are given up."""
        try:
            async with asyncio.timeout(_CONNECT_SECONDS):
                await self._pool.close()
        except FAILURES:
            self._pool.terminate()

    @contextlib.asynccontextmanager
    async def transaction(self, lock: str = MEMORIES) -> AsyncIterator[Session]:
        """One write transaction: on disk when the block is left, rolled back if it raises."""
        async with self._turns[lock]:
            try:
                async with self._begun(f"BEGIN; {lock.format(schema=self.schema)}") as connection:
                    yield connection
            except StoreError:
                self.write_failed = True
                raise
            self.write_failed = False

    async def read(self, query: str, *arguments: object) -> list[asyncpg.Record]:
        """Return the rows of a query on the last committed state."""
        async with self.reading() as connection:
            return await connection.fetch(query, *arguments)

    @contextlib.asynccontextmanager
    async def reading(self) -> AsyncIterator[Session]:
        """One read-only transaction, whose statements all see the same state."""
        async with self._begun("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY") as connection:
            yield connection

    @contextlib.asynccontextmanager
    async def _begun(self, begin: str) -> AsyncIterator[Session]:
        try:
            async with self._pool.acquire(timeout=_ACQUIRE_SECONDS) as connection:
                try:
                    await connection.execute(begin)
                    yield connection
                    await connection.execute("COMMIT")
                except TimeoutError:
                    connection.terminate()  # a server that hangs would not answer a ROLLBACK either
                    raise
                except BaseException:
                    with contextlib.suppress(*FAILURES):
                        await connection.execute("ROLLBACK")
                    raise
        except FAILURES as error:
            raise port_error(error) from error

    async def _connect(self, *_: Any, **options: Any) -> asyncpg.Connection[asyncpg.Record]:
        connection: asyncpg.Connection[asyncpg.Record] = await asyncpg.connect(
            self._dsn(),
            timeout=_CONNECT_SECONDS,
            command_timeout=_STATEMENT_SECONDS,
            statement_cache_size=0,
            **{name: options[name] for name in ("loop", "connection_class", "record_class")},
        )
        try:
            await self._check_version(connection)
        except BaseException:
            connection.terminate()
            raise
        return connection

    async def _check_version(self, connection: asyncpg.Connection[asyncpg.Record]) -> None:
        async with connection.transaction():
            version = await connection.fetchval(f"SELECT version FROM {self.schema}.schema_version")  # noqa: S608 - the schema's name
        if not names.SCHEMA_VERSION <= version <= names.SCHEMA_VERSION + 1:
            reason = f"the schema has version {version}, this release needs {names.SCHEMA_VERSION}"
            raise StoreUnavailableError(COMPONENT, reason)


async def _keep(_: object) -> None:
    """Reset nothing: a session keeps nothing but its transaction, which the pool has ended by now."""
