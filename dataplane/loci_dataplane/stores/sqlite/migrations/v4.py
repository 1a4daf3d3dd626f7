"""Version 4: histories, replies to requests with an Idempotency-Key, and erasures.

A history has a row for each version of a memory. The row of the present version has no content, which `memories` has;
it gets the content when the version is replaced or deleted. The columns that a filter may name have the same names in
both tables.
"""

from __future__ import annotations

import sqlite3
from typing import Final

_STATEMENTS: Final = (
    """CREATE TABLE history (
      memory_id  TEXT NOT NULL,
      version    INTEGER NOT NULL,
      event      TEXT NOT NULL,
      at         TEXT NOT NULL,
      key_id     TEXT,
      content    TEXT,
      user_id    TEXT,
      agent_id   TEXT,
      session_id TEXT,
      metadata   TEXT,
      created_at TEXT,
      updated_at TEXT,
      expires_at TEXT,
      PRIMARY KEY (memory_id, version)
    ) WITHOUT ROWID""",
    "CREATE INDEX history_by_user ON history (user_id) WHERE user_id IS NOT NULL",
    "CREATE INDEX history_by_deletion ON history (at) WHERE event IN ('deleted', 'expired')",
    """INSERT INTO history (memory_id, version, event, at)
      SELECT id, version, CASE version WHEN 1 THEN 'created' ELSE 'updated' END, updated_at FROM memories""",
    """CREATE TABLE replies (
      key         TEXT PRIMARY KEY,
      fingerprint TEXT NOT NULL,
      status      INTEGER NOT NULL,
      headers     TEXT NOT NULL,
      body        BLOB NOT NULL,
      expires_at  TEXT NOT NULL
    ) WITHOUT ROWID""",
    "CREATE INDEX replies_by_expiry ON replies (expires_at)",
    # Whose content a reply has.
    """CREATE TABLE reply_memories (
      memory_id TEXT NOT NULL,
      key       TEXT NOT NULL,
      PRIMARY KEY (memory_id, key)
    ) WITHOUT ROWID""",
    "CREATE INDEX reply_memories_by_key ON reply_memories (key)",
    # `request` is null once `receipt` is there.
    """CREATE TABLE erasures (
      number       INTEGER PRIMARY KEY AUTOINCREMENT,
      id           TEXT NOT NULL UNIQUE,
      requested_at TEXT NOT NULL,
      key_id       TEXT,
      request      TEXT,
      progress     TEXT NOT NULL DEFAULT '{}',
      receipt      TEXT
    )""",
)


def migrate(connection: sqlite3.Connection) -> None:
    """Go from version 3 to version 4."""
    for statement in _STATEMENTS:
        connection.execute(statement)
