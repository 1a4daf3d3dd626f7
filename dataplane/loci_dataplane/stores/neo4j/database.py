"""One Neo4j database: opening it with its schema, transactions, and failures as the ports' errors.

Cypher is constant; every value is a parameter. A write first locks the node (:Graph), so that writes of one database
follow one another and the quota is exact with several pods. A transaction that the server aborts for a reason that may
pass (a deadlock, a change of leader) is tried again by the driver for up to `_RETRY_SECONDS`.

The driver waits without limit for the response of a server that still has its connections, such as a paused one. Each
call therefore has a limit here, after which its connection is closed; the server rolls back what was not committed.
A write may take long, so it first makes sure, within a short limit, that the server responds at all.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from neo4j import AsyncDriver, AsyncGraphDatabase, AsyncManagedTransaction, AsyncSession, unit_of_work
from neo4j.exceptions import DriverError, Neo4jError

from loci_dataplane.stores.errors import StoreUnavailableError

Result = TypeVar("Result")
Row = Mapping[str, Any]

COMPONENT: Final = "graph"
_CONNECT_SECONDS: Final = 3.0
_ACQUIRE_SECONDS: Final = 5.0
_RETRY_SECONDS: Final = 5.0
_CONNECTIONS: Final = 8
_SCHEMA: Final = (
    "CREATE CONSTRAINT memory_id IF NOT EXISTS FOR (m:Memory) REQUIRE m.id IS UNIQUE",
    "CREATE CONSTRAINT left_out_id IF NOT EXISTS FOR (m:LeftOut) REQUIRE m.id IS UNIQUE",
    "CREATE CONSTRAINT entity_key IF NOT EXISTS FOR (e:Entity) REQUIRE (e.key, e.scope) IS UNIQUE",
    "CREATE CONSTRAINT graph_id IF NOT EXISTS FOR (g:Graph) REQUIRE g.id IS UNIQUE",
    "CREATE INDEX memory_session IF NOT EXISTS FOR (m:Memory) ON (m.session_id, m.position)",
    "CREATE INDEX entity_mentions IF NOT EXISTS FOR (e:Entity) ON (e.mentions)",
    "CREATE INDEX related_memory IF NOT EXISTS FOR ()-[r:RELATED]-() ON (r.memory_id)",
    "CREATE INDEX related_predicate IF NOT EXISTS FOR ()-[r:RELATED]-() ON (r.predicate)",
    "MERGE (:Graph {id: 1})",
)


@dataclass(frozen=True)
class Limits:
    """Time limits of calls, seconds; retries are included.

    Args:
        probe: finding out whether the server responds.
        read: a query.
        write: a transaction, or creating the schema; long, since a server that has just started plans each query for
            the first time.
    """

    probe: float = 5.0
    read: float = 10.0
    write: float = 30.0


DEFAULT_LIMITS: Final = Limits()


class Database:
    """Runs Cypher in a database of a server."""

    def __init__(self, driver: AsyncDriver, name: str, limits: Limits) -> None:
        self._driver = driver
        self._name = name
        self._limits = limits
        self._prepared = False

    async def probe(self) -> None:
        """Reach the server; raise StoreUnavailableError if it does not respond."""
        await self._query(self._limits.probe, "RETURN 1 AS one")

    async def read(self, query: str, **parameters: Any) -> list[Row]:  # parameters of any type that Bolt carries
        """Return the rows of a query."""
        await self._prepare()
        return await self._query(self._limits.read, query, **parameters)

    async def write(self, work: Callable[[AsyncManagedTransaction], Awaitable[Result]]) -> Result:
        """Run a transaction that excludes other writes; it may run again if the server aborts it."""

        async def locked(transaction: AsyncManagedTransaction) -> Result:
            await rows(transaction, "MATCH (g:Graph {id: 1}) SET g.writes = coalesce(g.writes, 0) + 1")
            return await work(transaction)

        await self.probe()
        await self._prepare()
        seconds = self._limits.write
        async with self._session(seconds) as session:
            return await session.execute_write(unit_of_work(timeout=seconds)(locked))

    async def _query(self, seconds: float, query: str, **parameters: Any) -> list[Row]:
        async def work(transaction: AsyncManagedTransaction) -> list[Row]:
            return await rows(transaction, query, **parameters)

        async with self._session(seconds) as session:
            return await session.execute_read(unit_of_work(timeout=seconds)(work))

    @contextlib.asynccontextmanager
    async def _session(self, seconds: float) -> AsyncIterator[AsyncSession]:
        """A session for so long at most."""
        try:
            async with asyncio.timeout(seconds), self._driver.session(database=self._name) as session:
                yield session
        except (Neo4jError, DriverError, OSError) as error:  # TimeoutError is an OSError
            raise StoreUnavailableError(COMPONENT, type(error).__name__) from error

    async def _prepare(self) -> None:
        """Create constraints and indexes, once a process and only when the server is there."""
        if self._prepared:
            return
        async with self._session(self._limits.write) as session:
            for statement in _SCHEMA:
                await (await session.run(statement)).consume()
        self._prepared = True


async def rows(transaction: AsyncManagedTransaction, query: str, **parameters: Any) -> list[Row]:
    """Return the rows of a query within a transaction."""
    result = await transaction.run(query, parameters)
    return [record.data() async for record in result]


@contextlib.asynccontextmanager
async def neo4j_database(
    url: str, auth: tuple[str, str], name: str = "neo4j", limits: Limits = DEFAULT_LIMITS
) -> AsyncIterator[Database]:
    """A database for the length of the block; connections are made when they are needed."""
    driver = AsyncGraphDatabase.driver(
        url,
        auth=auth,
        connection_timeout=_CONNECT_SECONDS,
        connection_acquisition_timeout=_ACQUIRE_SECONDS,
        max_transaction_retry_time=_RETRY_SECONDS,
        max_connection_pool_size=_CONNECTIONS,
        telemetry_disabled=True,
        notifications_min_severity="OFF",
    )
    async with driver:
        yield Database(driver, name, limits)
