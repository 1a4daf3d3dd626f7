"""One SQLite file: a writer thread whose every commit is on disk, and a reader thread that never waits for it."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib.resources import files
from pathlib import Path
from typing import Final, TypeVar

Result = TypeVar("Result")

_SCHEMA: Final = files(__package__).joinpath("schema.sql")
_VERSION: Final = 1


class DatabaseVersionError(RuntimeError):
    """The file was written by another version of the service."""


class Database:
    """Runs functions of a connection, each as a whole in the thread that owns the connection."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="sqlite-write")
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="sqlite-read")
        self._write_connection: sqlite3.Connection
        self._read_connection: sqlite3.Connection
        self._opened: list[tuple[ThreadPoolExecutor, sqlite3.Connection]] = []

    async def open(self) -> None:
        """Open the file, making it when there is none."""
        loop = asyncio.get_running_loop()
        self._write_connection = await loop.run_in_executor(self._writer, self._open_writer)
        self._read_connection = await loop.run_in_executor(self._reader, self._open_reader)

    async def close(self) -> None:
        """Finish what is under way and close, as far as it was opened."""
        for thread, connection in reversed(self._opened):
            await asyncio.get_running_loop().run_in_executor(thread, connection.close)
        self._reader.shutdown()
        self._writer.shutdown()

    async def write(self, work: Callable[[sqlite3.Connection], Result]) -> Result:
        """Run a transaction; when this returns it is on disk, when it raises nothing of it is."""
        return await asyncio.get_running_loop().run_in_executor(self._writer, self._transaction, work)

    async def read(self, work: Callable[[sqlite3.Connection], Result]) -> Result:
        """Run a query on the last committed state."""
        return await asyncio.get_running_loop().run_in_executor(self._reader, work, self._read_connection)

    def _transaction(self, work: Callable[[sqlite3.Connection], Result]) -> Result:
        connection = self._write_connection
        connection.execute("BEGIN IMMEDIATE")
        try:
            result = work(connection)
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")
        return result

    def _open_writer(self) -> sqlite3.Connection:
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        connection = self._connect(self._writer)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version == 0:
            connection.executescript(f"BEGIN; {_SCHEMA.read_text()} COMMIT;")
        elif version != _VERSION:
            raise DatabaseVersionError(f"{self._path.name} has schema {version}, this version needs {_VERSION}")
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
        return connection
