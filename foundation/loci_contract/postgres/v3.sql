-- The graph, and a generation for caches. Every memory is enqueued, so that the indexer fills the graph.

-- Another value after each write: what was computed under one value is out of date under the next. It is never used
-- twice, also when the database is restored to an earlier state.
ALTER TABLE {schema}.totals ADD COLUMN generation uuid NOT NULL DEFAULT gen_random_uuid();

-- One row, which every change of the graph locks first: `max_graph_nodes` is exact. `memories` includes `left_out`.
CREATE TABLE {schema}.graph_totals (
  nodes    bigint NOT NULL,
  memories bigint NOT NULL,
  left_out bigint NOT NULL
) WITH (fillfactor = 10);
INSERT INTO {schema}.graph_totals VALUES (0, 0, 0);

-- `scope` is the user's id, or empty; an entity is there as long as a memory mentions it.
CREATE TABLE {schema}.entity (
  id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  scope    text COLLATE "C" NOT NULL,
  key      text COLLATE "C" NOT NULL,
  name     text COLLATE "C" NOT NULL,
  kind     text COLLATE "C" NOT NULL,
  mentions bigint NOT NULL,
  UNIQUE (key, scope)
);
CREATE INDEX ON {schema}.entity (mentions DESC, key, scope);
CREATE INDEX ON {schema}.entity (scope, mentions DESC, key);

-- `position` is the memory's order; `left_out` ones are no nodes, they found no room in the quota.
CREATE TABLE {schema}.graph_memory (
  id         text COLLATE "C" PRIMARY KEY,
  session_id text COLLATE "C",
  position   bigint NOT NULL,
  left_out   boolean NOT NULL
);
CREATE INDEX ON {schema}.graph_memory (session_id, position) WHERE session_id IS NOT NULL AND NOT left_out;

CREATE TABLE {schema}.mention (
  memory_id text COLLATE "C" NOT NULL,
  entity_id bigint NOT NULL,
  PRIMARY KEY (memory_id, entity_id)
);
CREATE INDEX ON {schema}.mention (entity_id);

-- Subject and object are among the memory's mentions. Without an object, it ends all facts of the slot.
CREATE TABLE {schema}.fact (
  memory_id  text COLLATE "C" NOT NULL,
  place      integer NOT NULL,
  subject_id bigint NOT NULL,
  predicate  text COLLATE "C" NOT NULL,
  object_id  bigint,
  slot       text COLLATE "C" NOT NULL,
  exclusive  boolean NOT NULL,
  ends       boolean NOT NULL,
  valid_from text COLLATE "C" NOT NULL,
  ranked_at  text COLLATE "C" NOT NULL,
  valid_to   text COLLATE "C",
  PRIMARY KEY (memory_id, place)
);
CREATE INDEX ON {schema}.fact (subject_id, slot);
CREATE INDEX ON {schema}.fact (object_id);
CREATE INDEX ON {schema}.fact (predicate);

INSERT INTO {schema}.outbox (memory_id) SELECT id FROM {schema}.memory ON CONFLICT DO NOTHING;
