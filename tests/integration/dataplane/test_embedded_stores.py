"""The embedded stores below the API: durability, the outbox, the index beside the records."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from loci_dataplane.model.filter import AllOf
from loci_dataplane.model.memory import Memory
from loci_dataplane.stores.chroma.embedded import ChromaVectors
from loci_dataplane.stores.sqlite.database import Database, DatabaseVersionError
from loci_dataplane.stores.sqlite.records import SqliteRecords
from loci_runtime.errors import ConflictError

NOW = datetime(2026, 1, 1, tzinfo=UTC)
OTTER = Memory("mem_1", "an otter", None, None, None, {}, NOW, NOW)


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    database = Database(tmp_path / "memories.db")
    await database.open()
    yield database
    await database.close()


@pytest.fixture
async def records(database: Database) -> SqliteRecords:
    return SqliteRecords(database)


@pytest.fixture
async def vectors(tmp_path: Path) -> AsyncIterator[ChromaVectors]:
    vectors = ChromaVectors(tmp_path / "chroma")
    await vectors.open()
    yield vectors
    await vectors.close()


@pytest.mark.invariant(2)
async def test_every_commit_is_on_disk(database: Database) -> None:
    assert await database.write(lambda c: c.execute("PRAGMA synchronous").fetchone()[0]) == 2
    assert await database.write(lambda c: c.execute("PRAGMA journal_mode").fetchone()[0]) == "wal"


async def test_a_file_of_another_version_is_left_alone(tmp_path: Path, database: Database) -> None:
    await database.read(lambda connection: connection.execute("SELECT 1"))
    await database.write(lambda connection: connection.execute("PRAGMA user_version = 99"))
    later = Database(tmp_path / "memories.db")
    with pytest.raises(DatabaseVersionError):
        await later.open()


async def test_what_changed_while_it_was_indexed_is_indexed_again(records: SqliteRecords) -> None:
    await records.add(OTTER, 10)
    seen = await records.tasks(10, NOW)
    await records.change("mem_1", NOW, lambda memory: replace(memory, content="a badger"))
    await records.finish(seen)
    assert [task.memory_id for task in await records.tasks(10, NOW)] == ["mem_1"]
    await records.finish(await records.tasks(10, NOW))
    assert await records.backlog() == 0


async def test_the_full_text_holds_what_the_rows_say_and_no_more(database: Database, records: SqliteRecords) -> None:
    await records.add(OTTER, 10)
    await records.add(replace(OTTER, id="mem_2"), 10)
    await records.change("mem_2", NOW, lambda memory: replace(memory, content="a badger"))
    await records.delete("mem_1", NOW, lambda _: None)
    words = "SELECT rowid FROM memories_text WHERE memories_text MATCH 'otter OR badger'"
    assert [row[0] for row in await database.read(lambda c: c.execute(words).fetchall())] == [2]
    check = "INSERT INTO memories_text (memories_text, rank) VALUES ('integrity-check', 1)"
    await database.write(lambda connection: connection.execute(check))


async def test_a_postponed_entry_waits_unless_a_change_renews_it(records: SqliteRecords) -> None:
    await records.add(OTTER, 10)
    later = NOW + timedelta(minutes=1)
    await records.postpone(await records.tasks(10, NOW), later)
    assert await records.tasks(10, NOW) == []
    assert [task.attempts for task in await records.tasks(10, later)] == [1]
    assert await records.delete("mem_1", NOW, lambda _: None)
    assert [task.attempts for task in await records.tasks(10, NOW)] == [0]


async def test_a_refused_change_leaves_no_trace(records: SqliteRecords) -> None:
    def refuse(_: Memory) -> Memory:
        raise ConflictError("no")

    await records.add(OTTER, 10)
    await records.finish(await records.tasks(10, NOW))
    with pytest.raises(ConflictError):
        await records.change("mem_1", NOW, refuse)
    assert (await records.get(["mem_1"], NOW))["mem_1"] == replace(OTTER, order=1)
    assert await records.backlog() == 0


async def test_places_are_never_given_twice(records: SqliteRecords) -> None:
    await records.add(OTTER, 10)
    await records.delete("mem_1", NOW, lambda _: None)
    await records.add(replace(OTTER, id="mem_2"), 10)
    assert [memory.order for memory in await records.page(AllOf(()), 0, 10, NOW)] == [2]


async def test_vectors_can_be_set_and_removed_again_and_again(vectors: ChromaVectors) -> None:
    east, north = np.eye(2, dtype=np.float32)
    for _ in range(2):
        await vectors.upsert(["mem_1", "mem_2"], np.stack([east, north]))
    assert await vectors.count() == 2
    hits = await vectors.search(north, 10, among=None)
    assert [(hit.memory_id, round(hit.score, 3)) for hit in hits] == [("mem_2", 1.0), ("mem_1", 0.0)]
    await vectors.upsert(["mem_2"], east[None])
    assert round((await vectors.search(north, 1, among=["mem_2"]))[0].score, 3) == 0.0
    for _ in range(2):
        await vectors.delete(["mem_2", "mem_unknown"])
    assert [hit.memory_id for hit in await vectors.search(north, 10, among=["mem_1", "mem_2"])] == ["mem_1"]
    assert await vectors.search(north, 10, among=[]) == []
