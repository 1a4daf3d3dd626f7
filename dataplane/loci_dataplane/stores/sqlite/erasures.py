"""The Erasures port on SQLite.

Deleted content is overwritten with zeros as it is deleted (`secure_delete`), in tables and in indexes. Two places keep
it longer and are dealt with by `purge`: segments of the full text, until they are merged, and the write-ahead log,
until it is emptied.
"""

# ruff: noqa: S608 - names are constants, values are parameters
from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any, Final

from loci_contract import receipts
from loci_dataplane.model.erasure import Batch, Erasure, Purge
from loci_dataplane.model.filter import Filter
from loci_dataplane.model.memory import timestamp
from loci_dataplane.stores.erasure_rows import advanced, erasure_of
from loci_dataplane.stores.sqlite.database import Database
from loci_dataplane.stores.sqlite.filter import condition
from loci_dataplane.stores.sqlite.history import STATE

_THESE: Final = "IN (SELECT value FROM json_each(?))"
_SAMPLES: Final = 8
_FRAGMENT: Final = 48
"""Bytes; less than a database page holds of a text that is spread over several."""
_REMOVALS: Final = {
    "versions": f"DELETE FROM history WHERE memory_id {_THESE}",
    "replies": f"DELETE FROM replies WHERE key IN (SELECT key FROM reply_memories WHERE memory_id {_THESE})",
    "memories": f"DELETE FROM memories WHERE id {_THESE}",
}
_REST: Final = (
    "DELETE FROM reply_memories WHERE key NOT IN (SELECT key FROM replies)",
    f"DELETE FROM reply_memories WHERE memory_id {_THESE}",
    "INSERT INTO outbox (memory_id) SELECT value FROM json_each(?) WHERE value NOT IN (SELECT memory_id FROM outbox)",
)
_CLEAR: Final = f"UPDATE history SET {', '.join(f'{column} = NULL' for column in STATE)}"
_BELONGING: Final = {
    "memories": f"SELECT count(*) FROM memories WHERE id {_THESE}",
    "versions": f"SELECT count(*) FROM history WHERE memory_id {_THESE}",
    "replies": f"SELECT count(*) FROM reply_memories WHERE memory_id {_THESE}",
    "outbox": f"SELECT count(*) FROM outbox WHERE memory_id {_THESE}",
    "graph": f"SELECT count(*) FROM graph_memories WHERE id {_THESE}",
    "graph mentions": f"SELECT count(*) FROM graph_mentions WHERE memory_id {_THESE}",
    "graph facts": f"SELECT count(*) FROM graph_facts WHERE memory_id {_THESE}",
}
_FULL_TEXT: Final = "SELECT count(*) FROM memories_text WHERE rowid NOT IN (SELECT position FROM memories)"


class SqliteErasures:
    """Erasures in one file."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def begin(self, erasure: Erasure) -> None:
        """Record a request."""
        statement = "INSERT INTO erasures (id, requested_at, key_id, request) VALUES (?, ?, ?, ?)"
        values = [erasure.id, timestamp(erasure.requested_at), erasure.key_id, json.dumps(erasure.request)]
        async with self._database.transaction() as run:
            await run(lambda connection: connection.execute(statement, values))

    async def get(self, erasure_id: str) -> Erasure | None:
        """Return an erasure."""
        query = "SELECT * FROM erasures WHERE id = ?"
        return await self._one(query, [erasure_id])

    async def pending(self) -> Erasure | None:
        """Return the oldest erasure that is not complete."""
        return await self._one("SELECT * FROM erasures WHERE receipt IS NULL ORDER BY number LIMIT 1", [])

    async def erase(self, erasure_id: str, where: Filter, limit: int) -> Batch:
        """Remove some memories and versions that match."""
        async with self._database.transaction() as run:
            return await run(lambda connection: _erase(connection, erasure_id, where, limit))

    async def remaining(self, where: Filter, ids: Sequence[str]) -> Mapping[str, int]:
        """Count what is left."""
        matching, parameters = condition(where)
        these = json.dumps(ids)

        def work(connection: sqlite3.Connection) -> dict[str, int]:
            left = {name: _count(connection, query, [these]) for name, query in _BELONGING.items()}
            left["memories"] += _count(connection, f"SELECT count(*) FROM memories WHERE {matching}", parameters)
            left["versions"] += _count(connection, f"SELECT count(*) FROM history WHERE {_kept(matching)}", parameters)
            return {**left, "full text": _count(connection, _FULL_TEXT, [])}

        return await self._database.read(work)

    async def purge(self, contents: Sequence[str]) -> Purge:
        """Merge the full text's segments and empty the log."""
        async with self._database.transaction() as run:
            await run(lambda c: c.execute("INSERT INTO memories_text (memories_text) VALUES ('optimize')"))
        emptied = await self._database.truncate_log()
        fragments = await self._database.read(lambda connection: _fragments(connection, contents))
        return Purge(
            "secure_delete, full text merged" + (", write-ahead log emptied" if emptied else ""),
            await self._database.find(fragments),
            None if emptied else "the write-ahead log could not be emptied; that is done at the next checkpoint",
        )

    async def complete(self, erasure_id: str, receipt: Mapping[str, Any]) -> None:
        """Seal the receipt, unless it is sealed."""
        async with self._database.transaction() as run:
            await run(lambda connection: _complete(connection, erasure_id, receipt))
        await self._database.truncate_log()

    async def _one(self, query: str, parameters: Sequence[Any]) -> Erasure | None:
        row = await self._database.read(lambda connection: connection.execute(query, parameters).fetchone())
        return erasure_of(row) if row else None


def _erase(connection: sqlite3.Connection, erasure_id: str, where: Filter, limit: int) -> Batch:
    found = _matching(connection, where, limit)
    ids = list(dict.fromkeys(row["id"] for row in found))
    these = json.dumps(ids)
    removed = {kind: connection.execute(statement, [these]).rowcount for kind, statement in _REMOVALS.items()}
    if not ids:
        removed["versions"] += _clear_versions(connection, where)
    for statement in _REST:
        connection.execute(statement, [these] if "?" in statement else [])
    _note(connection, erasure_id, ids, removed)
    return Batch(tuple(ids), tuple(row["content"] for row in found[:_SAMPLES]))


def _matching(connection: sqlite3.Connection, where: Filter, limit: int) -> list[sqlite3.Row]:
    """Rows that match, or when there are none, versions that match of memories that are deleted."""
    matching, parameters = condition(where)
    query = f"SELECT id, content FROM memories WHERE {matching} LIMIT ?"
    if rows := connection.execute(query, [*parameters, limit]).fetchall():
        return rows
    query = f"""SELECT memory_id AS id, content FROM history
      WHERE memory_id NOT IN (SELECT id FROM memories) AND {_kept(matching)} LIMIT ?"""
    return connection.execute(query, [*parameters, limit]).fetchall()


def _clear_versions(connection: sqlite3.Connection, where: Filter) -> int:
    """Empty earlier versions that match, of memories that are there and do not; and the replies about them."""
    matching, parameters = condition(where)
    rows = connection.execute(f"SELECT DISTINCT memory_id FROM history WHERE {_kept(matching)}", parameters).fetchall()
    connection.execute(_REMOVALS["replies"], [json.dumps([row["memory_id"] for row in rows])])
    return connection.execute(f"{_CLEAR} WHERE {_kept(matching)}", parameters).rowcount


def _note(connection: sqlite3.Connection, erasure_id: str, ids: list[str], removed: Mapping[str, int]) -> None:
    row = connection.execute("SELECT progress FROM erasures WHERE id = ?", [erasure_id]).fetchone()
    progress = advanced(row["progress"], ids, removed)
    connection.execute("UPDATE erasures SET progress = ? WHERE id = ?", [progress, erasure_id])


def _complete(connection: sqlite3.Connection, erasure_id: str, receipt: Mapping[str, Any]) -> None:
    if connection.execute("SELECT 1 FROM erasures WHERE id = ? AND receipt IS NOT NULL", [erasure_id]).fetchone():
        return
    query = "SELECT receipt FROM erasures WHERE receipt IS NOT NULL ORDER BY number DESC LIMIT 1"
    row = connection.execute(query).fetchone()
    last: dict[str, Any] = json.loads(row["receipt"]) if row else {"number": 0, "sha256": receipts.FIRST}
    sealed = receipts.seal(receipt, last["number"] + 1, last["sha256"])
    statement = "UPDATE erasures SET request = NULL, progress = '{}', receipt = ? WHERE id = ?"
    connection.execute(statement, [json.dumps(sealed), erasure_id])


def _fragments(connection: sqlite3.Connection, contents: Sequence[str]) -> list[bytes]:
    """The beginnings of contents that no row has, too."""
    held = "SELECT 1 FROM memories WHERE instr(content, ?) UNION ALL SELECT 1 FROM history WHERE instr(content, ?)"
    starts = {content.encode()[:_FRAGMENT] for content in contents}
    texts = {start: start.decode(errors="ignore") for start in starts}
    return [start for start, text in texts.items() if not connection.execute(held, [text, text]).fetchone()]


def _count(connection: sqlite3.Connection, query: str, parameters: Sequence[Any]) -> int:
    return int(connection.execute(query, parameters).fetchone()[0])


def _kept(matching: str) -> str:
    """The condition on versions that have content."""
    return f"content IS NOT NULL AND {matching}"
