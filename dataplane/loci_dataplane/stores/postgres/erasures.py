"""The Erasures port on PostgreSQL.

A deleted row stays in its page as a dead tuple until VACUUM, which only the owner of a table may run and autovacuum
does; write-ahead log segments keep it until they are recycled. A tenant's role can neither speed this up nor see it, so
`purge` says so.
"""

# ruff: noqa: S608 - names are constants, values are parameters
from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from loci_contract import receipts
from loci_dataplane.model.erasure import Batch, Erasure, Purge
from loci_dataplane.model.filter import Filter
from loci_dataplane.model.memory import timestamp
from loci_dataplane.stores.erasure_rows import advanced, erasure_of
from loci_dataplane.stores.postgres.database import Database, Session
from loci_dataplane.stores.postgres.filter import Arguments, condition
from loci_dataplane.stores.postgres.history import STATE
from loci_dataplane.stores.postgres.transaction import DELETE

_LIMITS: Final = (
    "dead tuples stay in the server's files until autovacuum removes them, and its write-ahead log keeps them until "
    "its segments are recycled; the tenant's role can neither run VACUUM nor read the files"
)
_REMOVALS: Final = {
    "versions": "DELETE FROM {schema}.history WHERE memory_id = ANY($1::text[])",
    "replies": "DELETE FROM {schema}.replies WHERE memory_ids && $1::text[]",
}
_ENQUEUE: Final = "INSERT INTO {schema}.outbox (memory_id) SELECT unnest($1::text[]) ON CONFLICT DO NOTHING"
_CLEAR: Final = f"UPDATE {{schema}}.history SET {', '.join(f'{column} = NULL' for column in STATE)} WHERE {{kept}}"
_BELONGING: Final = {
    "memories": "SELECT count(*) FROM {schema}.memory WHERE id = ANY($1::text[])",
    "versions": "SELECT count(*) FROM {schema}.history WHERE memory_id = ANY($1::text[])",
    "replies": "SELECT count(*) FROM {schema}.replies WHERE memory_ids && $1::text[]",
    "outbox": "SELECT count(*) FROM {schema}.outbox WHERE memory_id = ANY($1::text[])",
    "graph": "SELECT count(*) FROM {schema}.graph_memory WHERE id = ANY($1::text[])",
    "graph mentions": "SELECT count(*) FROM {schema}.mention WHERE memory_id = ANY($1::text[])",
    "graph facts": "SELECT count(*) FROM {schema}.fact WHERE memory_id = ANY($1::text[])",
}
_IS_COMPLETE: Final = "SELECT receipt IS NOT NULL FROM {schema}.erasures WHERE id = $1::text"
_LAST: Final = "SELECT receipt FROM {schema}.erasures WHERE receipt IS NOT NULL ORDER BY number DESC LIMIT 1"


class PostgresErasures:
    """Erasures in one schema."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._schema = database.schema

    async def begin(self, erasure: Erasure) -> None:
        """Record a request."""
        statement = self._sql(
            "INSERT INTO {schema}.erasures (id, requested_at, key_id, request) "
            "VALUES ($1::text, $2::text, $3::text, $4::text)"
        )
        values = (erasure.id, timestamp(erasure.requested_at), erasure.key_id, json.dumps(erasure.request))
        async with self._database.transaction() as session:
            await session.execute(statement, *values)

    async def get(self, erasure_id: str) -> Erasure | None:
        """Return an erasure."""
        return await self._one("SELECT * FROM {schema}.erasures WHERE id = $1::text", erasure_id)

    async def pending(self) -> Erasure | None:
        """Return the oldest erasure that is not complete."""
        return await self._one("SELECT * FROM {schema}.erasures WHERE receipt IS NULL ORDER BY number LIMIT 1")

    async def erase(self, erasure_id: str, where: Filter, limit: int) -> Batch:
        """Remove some memories and versions that match."""
        async with self._database.transaction() as session:
            ids = await self._matching(session, where, limit)
            removed = {kind: _number(await session.execute(self._sql(s), ids)) for kind, s in _REMOVALS.items()}
            removed["memories"] = int(await session.fetchval(DELETE.format(schema=self._schema), ids))
            if not ids:
                removed["versions"] += await self._clear_versions(session, where)
            await session.execute(self._sql(_ENQUEUE), ids)
            await self._note(session, erasure_id, ids, removed)
        return Batch(tuple(ids), ())

    async def remaining(self, where: Filter, ids: Sequence[str]) -> Mapping[str, int]:
        """Count what is left."""
        async with self._database.reading() as session:
            left = {n: int(await session.fetchval(self._sql(q), list(ids))) for n, q in _BELONGING.items()}
            for name, table in (("memories", "memory"), ("versions", "history")):
                arguments = Arguments()
                query = f"SELECT count(*) FROM {self._schema}.{table} WHERE {_kept(where, arguments)}"
                left[name] += int(await session.fetchval(query, *arguments.values))
        return left

    async def purge(self, contents: Sequence[str]) -> Purge:
        """Say what the server does."""
        del contents
        return Purge("rows deleted", None, _LIMITS)

    async def complete(self, erasure_id: str, receipt: Mapping[str, Any]) -> None:
        """Seal the receipt, unless another pod has done so."""
        statement = self._sql(
            "UPDATE {schema}.erasures SET request = NULL, progress = '{{}}', receipt = $2::text WHERE id = $1::text"
        )
        async with self._database.transaction() as session:
            if await session.fetchval(self._sql(_IS_COMPLETE), erasure_id):
                return
            row = await session.fetchrow(self._sql(_LAST))
            last: dict[str, Any] = json.loads(row["receipt"]) if row else {"number": 0, "sha256": receipts.FIRST}
            sealed = receipts.seal(receipt, last["number"] + 1, last["sha256"])
            await session.execute(statement, erasure_id, json.dumps(sealed))

    async def _matching(self, session: Session, where: Filter, limit: int) -> list[str]:
        """Memories that match, or when there are none, deleted ones of which a version matches."""
        arguments = Arguments()
        kept, most = _kept(where, arguments), arguments.add(limit, "bigint")
        rows = await session.fetch(
            f"SELECT id FROM {self._schema}.memory WHERE {kept} LIMIT {most}",
            *arguments.values,
        )
        if not rows:
            rows = await session.fetch(
                f"""SELECT DISTINCT memory_id AS id FROM {self._schema}.history h WHERE {kept}
                AND NOT EXISTS (SELECT FROM {self._schema}.memory m WHERE m.id = h.memory_id) LIMIT {most}""",
                *arguments.values,
            )
        return [row["id"] for row in rows]

    async def _clear_versions(self, session: Session, where: Filter) -> int:
        arguments = Arguments()
        kept = _kept(where, arguments)
        query = f"SELECT DISTINCT memory_id FROM {self._schema}.history WHERE {kept}"
        rows = await session.fetch(query, *arguments.values)
        await session.execute(self._sql(_REMOVALS["replies"]), [row["memory_id"] for row in rows])
        return _number(await session.execute(_CLEAR.format(schema=self._schema, kept=kept), *arguments.values))

    async def _note(self, session: Session, erasure_id: str, ids: list[str], removed: Mapping[str, int]) -> None:
        query = self._sql("SELECT progress FROM {schema}.erasures WHERE id = $1::text")
        progress = advanced(await session.fetchval(query, erasure_id), ids, removed)
        statement = self._sql("UPDATE {schema}.erasures SET progress = $2::text WHERE id = $1::text")
        await session.execute(statement, erasure_id, progress)

    async def _one(self, query: str, *arguments: object) -> Erasure | None:
        rows = await self._database.read(self._sql(query), *arguments)
        return erasure_of(rows[0]) if rows else None

    def _sql(self, statement: str) -> str:
        return statement.format(schema=self._schema)


def _kept(where: Filter, arguments: Arguments) -> str:
    """The condition on rows or versions that have content."""
    return f"(content IS NOT NULL AND {condition(where, arguments)})"


def _number(tag: str) -> int:
    """The number of rows in a command's tag, such as `DELETE 3`."""
    return int(tag.rpartition(" ")[2])
