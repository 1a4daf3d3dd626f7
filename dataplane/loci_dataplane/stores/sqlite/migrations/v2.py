"""Version 2: the full text holds the terms of `text.analysis` instead of what FTS5 makes of the content.

All rows are analysed again. Memories longer than one part are put into the outbox, since version 1 had one vector for
the beginning of each.
"""

from __future__ import annotations

import sqlite3
from typing import Final

from loci_dataplane.stores.sqlite.terms import stored_terms
from loci_dataplane.text.parts import parts

# The tokenizer splits at spaces only: all punctuation and all non-ASCII characters belong to terms.
_TABLES: Final = (
    "DROP TRIGGER memory_added",
    "DROP TRIGGER memory_removed",
    "DROP TRIGGER memory_reworded",
    "DROP TABLE memories_text",
    """CREATE VIRTUAL TABLE memories_text USING fts5 (
      terms, tokenize = "ascii tokenchars '!""#$%&''''()*+,-./:;<=>?@[\\]^_`{|}~'"
    )""",
    "CREATE VIRTUAL TABLE memories_terms USING fts5vocab (memories_text, row)",
)
# The terms themselves are written by the adapter; triggers keep what needs no analysis.
_TRIGGERS: Final = (
    """CREATE TRIGGER memory_added AFTER INSERT ON memories BEGIN
      UPDATE totals SET memories = memories + 1;
      INSERT INTO outbox (memory_id) VALUES (new.id)
        ON CONFLICT DO UPDATE SET revision = revision + 1, attempts = 0, due_at = '';
    END""",
    """CREATE TRIGGER memory_removed AFTER DELETE ON memories BEGIN
      UPDATE totals SET memories = memories - 1;
      DELETE FROM memories_text WHERE rowid = old.position;
      INSERT INTO outbox (memory_id) VALUES (old.id)
        ON CONFLICT DO UPDATE SET revision = revision + 1, attempts = 0, due_at = '';
    END""",
    """CREATE TRIGGER memory_reworded AFTER UPDATE OF content ON memories WHEN old.content IS NOT new.content BEGIN
      INSERT INTO outbox (memory_id) VALUES (new.id)
        ON CONFLICT DO UPDATE SET revision = revision + 1, attempts = 0, due_at = '';
    END""",
)


def migrate(connection: sqlite3.Connection) -> None:
    """Go from version 1 to version 2."""
    for statement in _TABLES:
        connection.execute(statement)
    rows = connection.execute("SELECT position, id, content FROM memories")
    for position, memory_id, content in rows:
        connection.execute("INSERT INTO memories_text (rowid, terms) VALUES (?, ?)", [position, stored_terms(content)])
        if len(parts(content)) > 1:
            connection.execute("INSERT OR IGNORE INTO outbox (memory_id) VALUES (?)", [memory_id])
    for statement in _TRIGGERS:
        connection.execute(statement)
