"""Replies to requests with an Idempotency-Key, in the transaction of the write."""

from __future__ import annotations

import sqlite3
from datetime import datetime
from typing import Final

import orjson

from loci_dataplane.model.memory import timestamp
from loci_dataplane.model.reply import Attempt, Reply

_GET: Final = "SELECT fingerprint, status, headers, body FROM replies WHERE key = ? AND expires_at > ?"
_KEEP: Final = (
    "INSERT OR REPLACE INTO replies (key, fingerprint, status, headers, body, expires_at) VALUES (?, ?, ?, ?, ?, ?)"
)
_FORGET: Final = "DELETE FROM reply_memories WHERE key = ?"
_NAME: Final = "INSERT OR IGNORE INTO reply_memories (memory_id, key) SELECT value, ? FROM json_each(?)"
_EXPIRED: Final = "SELECT key FROM replies WHERE expires_at <= ? LIMIT 100"


def get(connection: sqlite3.Connection, key: str, now: datetime) -> tuple[str, Reply] | None:
    """Return the fingerprint and the reply kept for a key."""
    row = connection.execute(_GET, [key, timestamp(now)]).fetchone()
    if row is None:
        return None
    return row["fingerprint"], Reply(row["status"], row["body"], orjson.loads(row["headers"]))


def keep(connection: sqlite3.Connection, attempt: Attempt, reply: Reply, now: datetime, expires_at: datetime) -> None:
    """Keep a reply, and remove some that have expired."""
    for row in connection.execute(_EXPIRED, [timestamp(now)]).fetchall():
        remove(connection, row["key"])
    connection.execute(_FORGET, [attempt.key])
    headers = orjson.dumps(dict(reply.headers)).decode()
    connection.execute(
        _KEEP, [attempt.key, attempt.fingerprint, reply.status, headers, reply.body, timestamp(expires_at)]
    )
    connection.execute(_NAME, [attempt.key, orjson.dumps(reply.memory_ids).decode()])


def remove(connection: sqlite3.Connection, key: str) -> None:
    """Remove a reply."""
    connection.execute(_FORGET, [key])
    connection.execute("DELETE FROM replies WHERE key = ?", [key])
