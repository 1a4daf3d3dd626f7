"""The database file of the embedded profile: durability, and files of earlier and later releases."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from loci_dataplane.model.erasure import Erasure
from loci_dataplane.model.filter import AllOf, Condition
from loci_dataplane.model.memory import Memory
from loci_dataplane.stores.embedded import embedded_stores
from loci_dataplane.stores.errors import StoreUnavailableError
from loci_dataplane.stores.sqlite.database import Database
from loci_dataplane.stores.sqlite.migrations import STEPS, migrate

NOW = datetime(2026, 2, 1, tzinfo=UTC)
EVERYTHING = AllOf(())
V1 = Path(__file__).parent / "fixtures" / "sqlite_v1.sql"


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    database = Database(tmp_path / "memories.db")
    await database.open()
    yield database
    await database.close()


def make_v1(folder: Path) -> Path:
    path = folder / "memories.db"
    with sqlite3.connect(path) as connection:
        connection.executescript(V1.read_text())
    connection.close()
    return path


async def test_every_commit_is_on_disk(database: Database) -> None:
    async with database.transaction() as run:
        assert await run(lambda c: c.execute("PRAGMA synchronous").fetchone()[0]) == 2
        assert await run(lambda c: c.execute("PRAGMA journal_mode").fetchone()[0]) == "wal"


async def test_the_full_text_holds_what_the_rows_say_and_no_more(tmp_path: Path) -> None:
    otter = Memory("mem_1", "an otter", None, None, None, {}, NOW, NOW)
    async with embedded_stores(tmp_path) as stores, stores.transaction() as transaction:
        await transaction.add(otter, 10)
        await transaction.add(replace(otter, id="mem_2"), 10)
        await transaction.replace(replace(otter, id="mem_2", content="a badger"))
        await transaction.delete(["mem_1"])
    connection = sqlite3.connect(tmp_path / "memories.db")
    words = "SELECT rowid FROM memories_text WHERE memories_text MATCH 'otter OR badger'"
    assert connection.execute(words).fetchall() == [(2,)]
    connection.execute("INSERT INTO memories_text (memories_text) VALUES ('integrity-check')")
    connection.close()


async def test_everything_in_a_file_of_version_1_is_there_and_searchable(tmp_path: Path) -> None:
    make_v1(tmp_path)
    async with embedded_stores(tmp_path) as stores:
        page = await stores.records.page(EVERYTHING, 0, 10, NOW)
        assert [memory.id for memory in page] == ["mem_1", "mem_2", "mem_long"]
        assert (page[0].user_id, page[0].metadata, page[0].version) == ("ada", {"year": 2024}, 2)
        assert await stores.records.count() == 3
        for term, memory_id in [("tokyo", "mem_1"), ("緑茶", "mem_2"), ("heron", "mem_long")]:
            hits = await stores.full_text.search([term], EVERYTHING, 10, NOW)
            assert [hit.memory_id for hit in hits] == [memory_id], term
        assert (await stores.full_text.frequencies(["tokyo", "badger"])).by_term == {"tokyo": 1}
        waiting = {entry.memory_id for entry in await stores.outbox.claim(10, NOW, timedelta())}
        assert waiting >= {"mem_2", "mem_gone", "mem_long"}, "what waited still does; the long one gets its parts"
        async with stores.transaction() as transaction:
            await transaction.add(Memory("mem_new", "an otter", None, None, None, {}, NOW, NOW), 10)
            await transaction.delete(["mem_1"])
        assert [hit.memory_id for hit in await stores.full_text.search(["otter"], EVERYTHING, 9, NOW)] == ["mem_new"]
        assert await stores.full_text.search(["tokyo"], EVERYTHING, 10, NOW) == []
    async with embedded_stores(tmp_path) as stores:
        assert await stores.records.count() == 3


def dump(connection: sqlite3.Connection) -> list[str]:
    return sorted(line for line in connection.iterdump() if "sqlite_sequence" not in line)


def test_a_step_that_is_interrupted_leaves_the_version_before_it_and_is_repeated(tmp_path: Path) -> None:
    connection = sqlite3.connect(make_v1(tmp_path), isolation_level=None)
    before = dump(connection)

    def interrupted(connection: sqlite3.Connection) -> None:
        STEPS[1](connection)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        migrate(connection, (STEPS[0], interrupted))
    assert dump(connection) == before
    assert connection.execute("PRAGMA user_version").fetchone() == (1,)
    migrate(connection)
    migrate(connection)
    assert connection.execute("PRAGMA user_version").fetchone() == (len(STEPS),)
    assert connection.execute("SELECT count(*) FROM memories_text").fetchone() == (3,)
    connection.close()


async def test_a_file_of_a_newer_release_is_refused_and_left_alone(tmp_path: Path, database: Database) -> None:
    async with database.transaction() as run:
        await run(lambda connection: connection.execute("PRAGMA user_version = 99"))
    later = Database(tmp_path / "memories.db")
    with pytest.raises(StoreUnavailableError, match=r"schema version 99 is newer than this release's \d+"):
        await later.open()
    await later.close()


@pytest.mark.parametrize("content", [b"garbage" * 1_000, b"SQLite format 3\0" + b"\xff" * 4_096])
async def test_a_damaged_file_is_an_error_of_the_store(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "memories.db").write_bytes(content)
    with pytest.raises(StoreUnavailableError) as refused:
        async with embedded_stores(tmp_path):
            pass
    assert refused.value.component == "records"


async def test_a_purge_leaves_no_term_of_an_erased_memory_in_the_file(tmp_path: Path) -> None:
    ada = Condition("user_id", "eq", "ada")
    async with embedded_stores(tmp_path) as stores:
        for number, (user, content) in enumerate([("bob", "otter"), ("ada", "xylophone"), ("bob", "badger")]):
            async with stores.transaction() as transaction:
                await transaction.add(Memory(f"mem_{number}", content, user, None, None, {}, NOW, NOW), 10)
        await stores.erasures.begin(Erasure("ers_1", NOW, None, {"user_id": "ada"}))
        while (await stores.erasures.erase("ers_1", ada, 10)).memory_ids:
            pass
        purged = await stores.erasures.purge(["xylophone", "otter"])
        assert (purged.found, purged.limits) == (0, None), "what a row still has is not looked for"
        assert b"xylophon" not in (tmp_path / "memories.db").read_bytes()
        assert (tmp_path / "memories.db-wal").stat().st_size == 0
