-- One tenant's system of record. Every name is qualified: behind a transaction pooler no setting of a session, such as
-- `search_path`, can be relied on. Times are UTC text that sorts by time, as in SQLite; text sorts by code point.
CREATE TABLE {schema}.schema_version (version integer NOT NULL);
INSERT INTO {schema}.schema_version VALUES (0);

-- One row. Every write locks it first: the quota is exact, positions follow the order of commits, and writers never
-- wait for each other in a circle.
CREATE TABLE {schema}.totals (
  memories bigint NOT NULL,
  position bigint NOT NULL,
  words    bigint NOT NULL
) WITH (fillfactor = 10);
INSERT INTO {schema}.totals VALUES (0, 0, 0);

-- `metadata` is what was sent. `plain` is the same with one form for each number, and `folded` has every text folded
-- (of metadata and of the columns): filters compare with these.
CREATE TABLE {schema}.memory (
  position   bigint PRIMARY KEY,
  id         text COLLATE "C" NOT NULL UNIQUE,
  content    text COLLATE "C" NOT NULL,
  user_id    text COLLATE "C",
  agent_id   text COLLATE "C",
  session_id text COLLATE "C",
  metadata   json NOT NULL,
  created_at text COLLATE "C" NOT NULL,
  updated_at text COLLATE "C" NOT NULL,
  expires_at text COLLATE "C",
  version    bigint NOT NULL,
  plain      jsonb NOT NULL,
  folded     jsonb NOT NULL,
  terms      tsvector NOT NULL,
  words      integer NOT NULL
);
CREATE INDEX ON {schema}.memory (session_id, position) WHERE session_id IS NOT NULL;
CREATE INDEX ON {schema}.memory (user_id, position) WHERE user_id IS NOT NULL;
CREATE INDEX ON {schema}.memory (expires_at) WHERE expires_at IS NOT NULL;
-- Without `fastupdate` no insert pays for the others before it.
CREATE INDEX ON {schema}.memory USING gin (terms) WITH (fastupdate = off);

-- One entry for each memory whose vectors may differ from its row. A revision is never given twice.
CREATE SEQUENCE {schema}.revision;
CREATE TABLE {schema}.outbox (
  memory_id    text COLLATE "C" PRIMARY KEY,
  revision     bigint NOT NULL DEFAULT nextval('{schema}.revision'),
  attempts     integer NOT NULL DEFAULT 0,
  due_at       text COLLATE "C" NOT NULL DEFAULT '',
  leased_until text COLLATE "C" NOT NULL DEFAULT '',
  leased_by    text COLLATE "C" NOT NULL DEFAULT ''
);
CREATE INDEX ON {schema}.outbox (due_at, revision);
