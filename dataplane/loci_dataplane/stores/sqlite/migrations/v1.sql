-- The system of record of one tenant with the embedded profile. Times are UTC text that sorts by time.
CREATE TABLE memories (
  position   INTEGER PRIMARY KEY AUTOINCREMENT,
  id         TEXT NOT NULL UNIQUE,
  content    TEXT NOT NULL,
  user_id    TEXT,
  agent_id   TEXT,
  session_id TEXT,
  metadata   TEXT NOT NULL,
  created_at TEXT NOT NULL,
  updated_at TEXT NOT NULL,
  expires_at TEXT,
  version    INTEGER NOT NULL
);
CREATE INDEX memories_by_session ON memories (session_id, position) WHERE session_id IS NOT NULL;
CREATE INDEX memories_by_expiry ON memories (expires_at) WHERE expires_at IS NOT NULL;
CREATE INDEX memories_by_user ON memories (user_id, position) WHERE user_id IS NOT NULL;

CREATE VIRTUAL TABLE memories_text USING fts5 (
  content, content = 'memories', content_rowid = 'position', tokenize = "porter unicode61 remove_diacritics 2"
);

-- One entry for each memory whose indexes may differ from its row; `revision` grows when a change renews the entry.
CREATE TABLE outbox (
  memory_id TEXT PRIMARY KEY,
  revision  INTEGER NOT NULL DEFAULT 1,
  attempts  INTEGER NOT NULL DEFAULT 0,
  due_at    TEXT NOT NULL DEFAULT ''
);
CREATE INDEX outbox_by_time ON outbox (due_at);

CREATE TABLE totals (memories INTEGER NOT NULL);
INSERT INTO totals VALUES (0);

CREATE TRIGGER memory_added AFTER INSERT ON memories BEGIN
  UPDATE totals SET memories = memories + 1;
  INSERT INTO memories_text (rowid, content) VALUES (new.position, new.content);
  INSERT INTO outbox (memory_id) VALUES (new.id)
    ON CONFLICT DO UPDATE SET revision = revision + 1, attempts = 0, due_at = '';
END;
CREATE TRIGGER memory_removed AFTER DELETE ON memories BEGIN
  UPDATE totals SET memories = memories - 1;
  INSERT INTO memories_text (memories_text, rowid, content) VALUES ('delete', old.position, old.content);
  INSERT INTO outbox (memory_id) VALUES (old.id)
    ON CONFLICT DO UPDATE SET revision = revision + 1, attempts = 0, due_at = '';
END;
CREATE TRIGGER memory_reworded AFTER UPDATE OF content ON memories WHEN old.content IS NOT new.content BEGIN
  INSERT INTO memories_text (memories_text, rowid, content) VALUES ('delete', old.position, old.content);
  INSERT INTO memories_text (rowid, content) VALUES (new.position, new.content);
  INSERT INTO outbox (memory_id) VALUES (new.id)
    ON CONFLICT DO UPDATE SET revision = revision + 1, attempts = 0, due_at = '';
END;
