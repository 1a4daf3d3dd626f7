"""Schema versions of the database file, and the steps from each version to the next.

A file records its version in `user_version`. Opening it runs the missing steps in order, each in a transaction that
also sets the version: after a crash the file is at one version or the other, and opening it again goes on from there.
A step never changes once it was released; a new schema is a new step.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from importlib.resources import files
from typing import Final

from loci_dataplane.stores.errors import StoreUnavailableError
from loci_dataplane.stores.sqlite.failures import COMPONENT
from loci_dataplane.stores.sqlite.migrations import v2, v3, v4

Step = Callable[[sqlite3.Connection], None]


def execute_script(connection: sqlite3.Connection, name: str) -> None:
    """Run a file of SQL statements in the open transaction; `executescript` would commit it."""
    statement = ""
    for line in files(__package__).joinpath(name).read_text().splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            connection.execute(statement)
            statement = ""


STEPS: Final[tuple[Step, ...]] = (
    lambda connection: execute_script(connection, "v1.sql"),
    v2.migrate,
    v3.migrate,
    v4.migrate,
)
"""Step n, counted from 1, makes version n out of version n - 1; version 0 is an empty file."""


def migrate(connection: sqlite3.Connection, steps: tuple[Step, ...] = STEPS) -> None:
    """Bring a file to the newest version; StoreUnavailableError if it is of a newer release."""
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if version > len(steps):
        reason = f"schema version {version} is newer than this release's {len(steps)}: use the release that wrote it"
        raise StoreUnavailableError(COMPONENT, reason)
    for number, step in enumerate(steps[version:], version + 1):
        connection.execute("BEGIN IMMEDIATE")
        try:
            step(connection)
            connection.execute(f"PRAGMA user_version = {number}")
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
