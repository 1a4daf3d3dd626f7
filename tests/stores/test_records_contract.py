"""What every adapter of Records and Transaction does."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from loci_dataplane.model.erasure import Erasure
from loci_dataplane.model.filter import AllOf, Among, Condition
from loci_dataplane.model.memory import Memory
from loci_dataplane.stores.errors import QuotaExceededError
from loci_dataplane.stores.ports import Stores

EVERYTHING = AllOf(())
FULL = Memory(
    id="mem_1",
    content="an otter \U0001f9a6 'quoted' \"twice\" % _ \\ \n end",
    user_id="ada",
    agent_id="planner",
    session_id="s 1",
    metadata={"größe": 1.5, "app.version": [1, None, True, {"deep": "x"}], "big": 2**62, "": ""},
    created_at=datetime(1999, 12, 31, 23, 59, 59, 123456, tzinfo=UTC),
    updated_at=datetime(2026, 1, 1, tzinfo=UTC),
    expires_at=datetime(9999, 1, 1, tzinfo=UTC),
    version=3,
)


async def ids(stores: Stores, now: datetime) -> list[str]:
    return [memory.id for memory in await stores.records.page(EVERYTHING, 0, 1_000, now)]


async def test_a_memory_is_read_back_as_it_was_stored(stores: Stores, now: datetime) -> None:
    async with stores.transaction() as transaction:
        await transaction.add(FULL, 1)
        assert await transaction.get("mem_1", now) == replace(FULL, order=1)
    assert await stores.records.get(["mem_1", "mem_2"], now) == {"mem_1": replace(FULL, order=1)}
    assert await stores.records.count() == 1


async def test_nothing_of_a_failed_transaction_remains(stores: Stores, remember: Any, now: datetime) -> None:
    kept = await remember("mem_1")
    await stores.outbox.finish(await stores.outbox.claim(10, now, timedelta()))

    async def fail() -> None:
        async with stores.transaction() as transaction:
            await transaction.add(replace(FULL, id="mem_2"), 10)
            await transaction.replace(replace(kept, content="a badger"))
            await transaction.delete(["mem_1"])
            raise KeyError

    with pytest.raises(KeyError):
        await fail()
    assert await stores.records.get(["mem_1", "mem_2"], now) == {"mem_1": kept}
    assert [hit.memory_id for hit in await stores.full_text.search(["otter"], EVERYTHING, 10, now)] == ["mem_1"]
    assert (await stores.records.count(), await stores.outbox.backlog()) == (1, 0)


async def test_a_cancelled_transaction_leaves_nothing_and_blocks_nothing(
    stores: Stores, remember: Any, now: datetime
) -> None:
    inside = asyncio.Event()

    async def hang() -> None:
        async with stores.transaction() as transaction:
            await transaction.add(FULL, 10)
            inside.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(hang())
    await inside.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await remember("mem_2")
    assert await ids(stores, now) == ["mem_2"]


async def test_changes_are_seen_when_they_are_committed_and_not_before(
    stores: Stores, remember: Any, now: datetime
) -> None:
    kept = await remember("mem_1")
    async with stores.transaction() as transaction:
        await transaction.replace(replace(kept, content="a badger", version=2))
        changed = await transaction.get("mem_1", now)
        assert (await stores.records.get(["mem_1"], now))["mem_1"] == kept
    assert changed is not None
    assert (await stores.records.get(["mem_1"], now))["mem_1"] == changed
    assert (changed.content, changed.order) == ("a badger", kept.order)


async def test_concurrent_read_and_write_transactions_lose_no_update(
    stores: Stores, remember: Any, now: datetime
) -> None:
    await remember("mem_1", metadata={"n": 0})

    async def increment() -> None:
        async with stores.transaction() as transaction:
            memory = await transaction.get("mem_1", now)
            assert memory is not None
            await transaction.replace(replace(memory, metadata={"n": memory.metadata["n"] + 1}))

    await asyncio.gather(*(increment() for _ in range(32)))
    assert (await stores.records.get(["mem_1"], now))["mem_1"].metadata == {"n": 32}


async def test_the_quota_is_exact_under_concurrent_writers(stores: Stores, now: datetime) -> None:
    refusals = set()

    async def add(number: int) -> bool:
        try:
            async with stores.transaction() as transaction:
                await transaction.add(replace(FULL, id=f"mem_{number}"), 10)
        except QuotaExceededError as error:
            refusals.add((error.limit, error.used))
            return False
        return True

    assert sum(await asyncio.gather(*(add(number) for number in range(64)))) == 10
    assert len(await ids(stores, now)) == await stores.records.count() == 10
    assert refusals == {(10, 10)}


async def test_a_transaction_goes_on_after_the_quota_refused_an_item(stores: Stores, now: datetime) -> None:
    async with stores.transaction() as transaction:
        await transaction.add(FULL, 1)
        with pytest.raises(QuotaExceededError):
            await transaction.add(replace(FULL, id="mem_2"), 1)
        await transaction.add(replace(FULL, id="mem_3"), 2)
    assert await ids(stores, now) == ["mem_1", "mem_3"]


async def test_deleting_tells_how_many_existed(stores: Stores, remember: Any, now: datetime) -> None:
    for number in range(3):
        await remember(f"mem_{number}")
    async with stores.transaction() as transaction:
        assert await transaction.delete(["mem_0", "mem_2", "mem_unknown"]) == 2
        assert await transaction.delete([]) == 0
    assert await ids(stores, now) == ["mem_1"]


async def test_expired_memories_are_not_returned_and_deleted_in_batches(
    stores: Stores, remember: Any, now: datetime
) -> None:
    for number in range(5):
        await remember(f"mem_{number}", expires_at=now + timedelta(minutes=number))
    later = now + timedelta(minutes=2)
    assert await ids(stores, later) == ["mem_3", "mem_4"]
    assert (await stores.records.get(["mem_2"], later)) == {}
    assert await stores.records.first_expiry() == now
    assert await stores.full_text.search(["otter"], Among(("mem_1",)), 10, later) == []
    async with stores.transaction() as transaction:
        assert await transaction.get("mem_1", later) is None
        assert await transaction.delete_expired(later, 2) == 2
        assert await transaction.delete_expired(later, 2) == 1
    assert await stores.records.first_expiry() == now + timedelta(minutes=3)
    assert await stores.records.count() == 2


async def test_ids_are_listed_and_looked_up_whether_live_or_expired(
    stores: Stores, remember: Any, now: datetime
) -> None:
    assert (await stores.records.first_expiry(), await stores.records.ids("", 10)) == (None, [])
    for number in (2, 0, 3, 1):
        await remember(f"mem_{number}", expires_at=now if number == 2 else None)
    assert await stores.records.ids("", 3) == ["mem_0", "mem_1", "mem_2"]
    assert await stores.records.ids("mem_2", 3) == ["mem_3"]
    assert set(await stores.records.existing(["mem_3", "gone", "mem_2"])) == {"mem_2", "mem_3"}


async def test_places_are_never_given_twice(stores: Stores, remember: Any) -> None:
    await remember("mem_1")
    async with stores.transaction() as transaction:
        await transaction.delete(["mem_1"])
    assert (await remember("mem_2")).order == 2


async def test_pages_follow_the_order_of_creation(stores: Stores, remember: Any, now: datetime) -> None:
    stored = [await remember(f"mem_{number}", user_id="ada" if number % 2 else "bob") for number in range(6)]
    ada = Condition("user_id", "eq", "ada")
    assert await stores.records.page(ada, 0, 2, now) == [stored[1], stored[3]]
    assert await stores.records.page(ada, stored[3].order, 2, now) == [stored[5]]
    assert set(await stores.records.matching(ada, 10, now)) == {"mem_1", "mem_3", "mem_5"}
    assert len(await stores.records.matching(ada, 2, now)) == 2


async def test_pages_go_either_way(stores: Stores, remember: Any, now: datetime) -> None:
    stored = [await remember(f"mem_{number}", user_id="ada" if number % 2 else "bob") for number in range(6)]
    ada, page = Condition("user_id", "eq", "ada"), stores.records.page
    assert await page(EVERYTHING, None, 10, now) == stored
    assert await page(EVERYTHING, None, 10, now, descending=True) == stored[::-1]
    assert await page(ada, None, 2, now, descending=True) == [stored[5], stored[3]]
    assert await page(ada, stored[3].order, 2, now, descending=True) == [stored[1]]
    assert await page(EVERYTHING, stored[0].order, 2, now, descending=True) == []


async def test_neighbours_are_those_of_the_session(stores: Stores, remember: Any) -> None:
    for number in range(4):
        await remember(f"mem_{number}", session_id="s1" if number != 1 else "s2")
    await remember("mem_none")
    found = await stores.records.neighbours(["mem_0", "mem_1", "mem_2", "mem_none", "mem_unknown"])
    assert {memory_id: set(near) for memory_id, near in found.items() if near} == {
        "mem_0": {"mem_2"},
        "mem_2": {"mem_0", "mem_3"},
    }


async def test_more_ids_than_a_statement_has_parameters_are_no_problem(
    stores: Stores, remember: Any, now: datetime
) -> None:
    await remember("mem_1")
    many = [*(f"mem_x{number}" for number in range(70_000)), "mem_1"]
    assert list(await stores.records.get(many, now)) == ["mem_1"]
    assert await stores.records.matching(Among(tuple(many)), 10, now) == ["mem_1"]
    assert list(await stores.records.neighbours(many)) == ["mem_1"]
    async with stores.transaction() as transaction:
        assert await transaction.delete(many) == 1


async def test_a_store_that_works_passes_its_check(stores: Stores) -> None:
    await stores.records.check()


async def test_each_change_that_a_search_may_show_gives_another_generation(
    stores: Stores, remember: Any, now: datetime
) -> None:
    seen = [await stores.records.generation()]

    async def changed() -> bool:
        seen.append(await stores.records.generation())
        return seen[-1] not in seen[:-1]

    memory = await remember("a", user_id="ada")
    assert await changed(), "added"
    async with stores.transaction() as transaction:
        await transaction.replace(replace(memory, metadata={"n": 1}, version=2))
    assert await changed(), "replaced"
    await stores.outbox.finish(await stores.outbox.claim(10, now, timedelta(minutes=1)))
    assert await changed(), "indexed"
    await stores.erasures.begin(Erasure("ers_1", now, None, {}))
    await stores.erasures.erase("ers_1", Condition("user_id", "eq", "ada"), 10)
    assert await changed(), "erased"
    await remember("b", expires_at=now)
    async with stores.transaction() as transaction:
        await transaction.delete_expired(now, 10)
    assert await changed(), "expired"
    assert await stores.records.generation() == seen[-1]
