"""One SQLite file with a writer thread and a reader thread.

SQLite allows one writer at a time, so transactions wait for one another in this process, on an asyncio lock, rather
than in SQLite. The writer commits with `synchronous = FULL` to a write-ahead log: once a transaction's block is left,
it is on disk. Readers see the last committed state and never wait for the writer. A statement costs a switch of threads
(tens of microseconds), a commit costs an fsync. A transaction that is cancelled, or whose commit fails, is rolled back
before the next one begins.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Protocol, TypeVar

from loci_dataplane.stores.errors import StoreError
from loci_dataplane.stores.full_disk import is_full
from loci_dataplane.stores.sqlite.failures import full_error, port_error
from loci_dataplane.stores.sqlite.filter import register
from loci_dataplane.stores.sqlite.migrations import migrate

Result = TypeVar("Result")


class Run(Protocol):
    """Runs a function of the connection in the thread that owns it."""

    async def __call__(self, work: Callable[[sqlite3.Connection], Result]) -> Result:
        """Return what the function returns, or raise what it raises."""


class Database:
    """The file, open between `open` and `close`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="sqlite-write")
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="sqlite-read")
        self._write_connection: sqlite3.Connection
        self._read_connection: sqlite3.Connection
        self._opened: list[tuple[ThreadPoolExecutor, sqlite3.Connection]] = []
        self._turn = asyncio.Lock()
        self.write_failed = False
        """Whether the last transaction failed because of the file or its volume."""

    async def open(self) -> None:
        """Open the file; create it if it does not exist."""
        self._write_connection = await self._in(self._writer, self._open_writer)
        self._read_connection = await self._in(self._reader, self._open_reader)

    async def close(self) -> None:
        """Finish what is running and close whatever was opened."""
        for thread, connection in reversed(self._opened):
            await self._in(thread, connection.close)
        self._reader.shutdown()
        self._writer.shutdown()

    @contextlib.asynccontextmanager
    async def transaction(self) -> AsyncIterator[Run]:
        """Run functions in one transaction: on disk when the block is left, rolled back if it raises."""
        async with self._turn:
            try:
                yield self._run_in_transaction
                await self._in(self._writer, self._commit)
            except BaseException as error:
                # Not through asyncio: a second cancellation must not take the roll-back out of the thread's queue.
                undone = self._writer.submit(self._roll_back)
                await asyncio.shield(asyncio.wrap_future(undone))
                self.write_failed = self.write_failed or isinstance(error, StoreError)
                raise
            self.write_failed = False

    async def truncate_log(self) -> bool:
        """Write everything to the file itself and empty the log; return false if a reader kept it from that."""
        async with self._turn:
            row = await self._in(
                self._writer, lambda: self._write_connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            )
        return not row[0]

    async def find(self, fragments: Sequence[bytes]) -> int:
        """Return how many of the fragments the file or its log holds."""
        return await self._in(self._reader, lambda: sum(map(self._holds, fragments)))

    def _holds(self, fragment: bytes) -> bool:
        paths = (self._path, self._path.with_name(f"{self._path.name}-wal"))
        return any(fragment in path.read_bytes() for path in paths if path.exists())

    async def read(self, work: Callable[[sqlite3.Connection], Result]) -> Result:
        """Run a query on the last committed state."""
        return await self._in(self._reader, lambda: work(self._read_connection))

    async def check_space(self) -> None:
        """Raise StorageFullError if the volume is full."""
        if await asyncio.to_thread(is_full, self._path.parent):
            raise full_error()

    async def _run_in_transaction(self, work: Callable[[sqlite3.Connection], Result]) -> Result:
        def begun() -> Result:
            if not self._write_connection.in_transaction:
                self._write_connection.execute("BEGIN IMMEDIATE")
            return work(self._write_connection)

        return await self._in(self._writer, begun)

    def _commit(self) -> None:
        if self._write_connection.in_transaction:
            self._write_connection.execute("COMMIT")

    def _roll_back(self) -> None:
        if self._write_connection.in_transaction:
            self._write_connection.execute("ROLLBACK")

    async def _in(self, thread: ThreadPoolExecutor, work: Callable[[], Result]) -> Result:
        future: Future[Result] = thread.submit(work)
        try:
            return await asyncio.wrap_future(future)
        except (sqlite3.Error, OSError) as error:
            raise port_error(error, self._path.parent) from error

    def _open_writer(self) -> sqlite3.Connection:
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        connection = self._connect(self._writer)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA secure_delete = ON")  # deleted content is overwritten with zeros
        migrate(connection)
        return connection

    def _open_reader(self) -> sqlite3.Connection:
        connection = self._connect(self._reader)
        connection.execute("PRAGMA query_only = ON")
        return connection

    def _connect(self, thread: ThreadPoolExecutor) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False)
        self._opened.append((thread, connection))
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA busy_timeout = 5000")
        register(connection)
        return connection
