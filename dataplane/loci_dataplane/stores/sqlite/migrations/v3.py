"""Version 3: the graph. Every memory is enqueued so that the indexer fills it; changed metadata enqueues it too."""

from __future__ import annotations

import sqlite3
from typing import Final

_TABLES: Final = (
    # `scope` is the user's id, or empty; an entity is there as long as a memory mentions it.
    """CREATE TABLE graph_entities (
      id       INTEGER PRIMARY KEY,
      scope    TEXT NOT NULL,
      key      TEXT NOT NULL,
      name     TEXT NOT NULL,
      kind     TEXT NOT NULL,
      mentions INTEGER NOT NULL,
      UNIQUE (key, scope)
    )""",
    "CREATE INDEX graph_entities_by_mentions ON graph_entities (mentions DESC, key, scope)",
    "CREATE INDEX graph_entities_by_scope ON graph_entities (scope, mentions DESC, key)",
    # `position` is the memory's order; `left_out` ones are no nodes, they found no room in the quota.
    """CREATE TABLE graph_memories (
      id         TEXT PRIMARY KEY,
      session_id TEXT,
      position   INTEGER NOT NULL,
      left_out   INTEGER NOT NULL
    ) WITHOUT ROWID""",
    """CREATE INDEX graph_memories_by_session ON graph_memories (session_id, position)
      WHERE session_id IS NOT NULL AND left_out = 0""",
    """CREATE TABLE graph_mentions (
      memory_id TEXT NOT NULL,
      entity_id INTEGER NOT NULL,
      PRIMARY KEY (memory_id, entity_id)
    ) WITHOUT ROWID""",
    "CREATE INDEX graph_mentions_by_entity ON graph_mentions (entity_id)",
    # Subject and object are among the memory's mentions. Without an object, it ends all facts of the slot.
    """CREATE TABLE graph_facts (
      id         INTEGER PRIMARY KEY,
      memory_id  TEXT NOT NULL,
      place      INTEGER NOT NULL,
      subject_id INTEGER NOT NULL,
      predicate  TEXT NOT NULL,
      object_id  INTEGER,
      slot       TEXT NOT NULL,
      exclusive  INTEGER NOT NULL,
      ends       INTEGER NOT NULL,
      valid_from TEXT NOT NULL,
      ranked_at  TEXT NOT NULL,
      valid_to   TEXT
    )""",
    "CREATE INDEX graph_facts_by_memory ON graph_facts (memory_id)",
    "CREATE INDEX graph_facts_by_subject ON graph_facts (subject_id, slot)",
    "CREATE INDEX graph_facts_by_object ON graph_facts (object_id)",
    "CREATE INDEX graph_facts_by_predicate ON graph_facts (predicate)",
    "CREATE TABLE graph_totals (nodes INTEGER NOT NULL)",
    "INSERT INTO graph_totals VALUES (0)",
)
_TRIGGERS: Final = (
    """CREATE TRIGGER graph_entity_added AFTER INSERT ON graph_entities BEGIN
      UPDATE graph_totals SET nodes = nodes + 1;
    END""",
    """CREATE TRIGGER graph_entity_removed AFTER DELETE ON graph_entities BEGIN
      UPDATE graph_totals SET nodes = nodes - 1;
    END""",
    """CREATE TRIGGER graph_memory_added AFTER INSERT ON graph_memories WHEN new.left_out = 0 BEGIN
      UPDATE graph_totals SET nodes = nodes + 1;
    END""",
    """CREATE TRIGGER graph_memory_removed AFTER DELETE ON graph_memories WHEN old.left_out = 0 BEGIN
      UPDATE graph_totals SET nodes = nodes - 1;
    END""",
    "DROP TRIGGER memory_reworded",
    """CREATE TRIGGER memory_changed
      AFTER UPDATE OF content, user_id, session_id, metadata, created_at ON memories
      WHEN (old.content, old.user_id, old.session_id, old.metadata, old.created_at)
        IS NOT (new.content, new.user_id, new.session_id, new.metadata, new.created_at) BEGIN
      INSERT INTO outbox (memory_id) VALUES (new.id)
        ON CONFLICT DO UPDATE SET revision = revision + 1, attempts = 0, due_at = '';
    END""",
)


def migrate(connection: sqlite3.Connection) -> None:
    """Go from version 2 to version 3."""
    for statement in (*_TABLES, *_TRIGGERS):
        connection.execute(statement)
    connection.execute("INSERT OR IGNORE INTO outbox (memory_id) SELECT id FROM memories")
