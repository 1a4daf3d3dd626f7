"""What every adapter of Outbox does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from loci_dataplane.stores.outbox_ports import OutboxEntry
from loci_dataplane.stores.ports import Stores

NO_LEASE = timedelta()
MINUTE = timedelta(minutes=1)


async def claim(stores: Stores, now: datetime) -> Sequence[OutboxEntry]:
    return await stores.outbox.claim(100, now, NO_LEASE)


async def test_every_change_of_what_is_indexed_is_in_the_outbox(stores: Stores, remember: Any, now: datetime) -> None:
    added, reworded, moved, same = [await remember(f"mem_{number}") for number in range(4)]
    deleted = await remember("mem_deleted", expires_at=now - MINUTE)
    await stores.outbox.finish(await claim(stores, now))
    assert (await stores.outbox.backlog(), await stores.outbox.settled()) == (0, 5)
    async with stores.transaction() as transaction:
        await transaction.replace(replace(reworded, content="a badger"))
        await transaction.replace(replace(moved, session_id="s1"))
        await transaction.replace(replace(same, agent_id="planner"))
        await transaction.delete([added.id])
        await transaction.delete_expired(now, 10)
    assert {entry.memory_id for entry in await claim(stores, now)} == {added.id, reworded.id, moved.id, deleted.id}
    assert (await stores.outbox.backlog(), await stores.outbox.pending(), await stores.outbox.settled()) == (4, 2, 1)


async def test_a_change_renews_an_entry_that_is_worked_on(stores: Stores, remember: Any, now: datetime) -> None:
    memory = await remember("mem_1")
    seen = await claim(stores, now)
    async with stores.transaction() as transaction:
        await transaction.replace(replace(memory, content="a badger"))
    await stores.outbox.finish(seen)
    assert [entry.memory_id for entry in await claim(stores, now)] == ["mem_1"]
    await stores.outbox.finish(await claim(stores, now))
    assert await stores.outbox.backlog() == 0


async def test_a_postponed_entry_waits_unless_a_change_renews_it(stores: Stores, remember: Any, now: datetime) -> None:
    await remember("mem_1")
    await stores.outbox.postpone(await claim(stores, now), now + MINUTE)
    assert await claim(stores, now) == []
    assert [entry.attempts for entry in await claim(stores, now + MINUTE)] == [1]
    async with stores.transaction() as transaction:
        await transaction.delete(["mem_1"])
    assert [entry.attempts for entry in await claim(stores, now)] == [0]


async def test_postponing_spares_an_entry_that_was_renewed(stores: Stores, remember: Any, now: datetime) -> None:
    memory = await remember("mem_1")
    seen = await claim(stores, now)
    async with stores.transaction() as transaction:
        await transaction.replace(replace(memory, content="a badger"))
    await stores.outbox.postpone(seen, now + MINUTE)
    assert [(entry.memory_id, entry.attempts) for entry in await claim(stores, now)] == [("mem_1", 0)]


async def test_entries_come_oldest_first_and_no_more_than_asked_for(
    stores: Stores, remember: Any, now: datetime
) -> None:
    for number in range(5):
        await remember(f"mem_{number}")
    first = await stores.outbox.claim(2, now, NO_LEASE)
    assert [entry.memory_id for entry in first] == ["mem_0", "mem_1"]
    await stores.outbox.postpone(first, now)
    assert [entry.memory_id for entry in await claim(stores, now)][:3] == ["mem_2", "mem_3", "mem_4"]


async def test_all_memories_can_be_enqueued_without_renewing_those_that_wait(
    stores: Stores, remember: Any, now: datetime
) -> None:
    await remember("mem_1")
    await stores.outbox.finish(await claim(stores, now))
    await remember("mem_2")
    await stores.outbox.postpone(await claim(stores, now), now)
    await stores.outbox.enqueue_all()
    assert {entry.memory_id: entry.attempts for entry in await claim(stores, now)} == {"mem_1": 0, "mem_2": 1}


async def test_missing_entries_are_added_for_ids_with_and_without_a_row(
    stores: Stores, remember: Any, now: datetime
) -> None:
    await remember("mem_1")
    await stores.outbox.finish(await claim(stores, now))
    await remember("mem_2")
    assert await stores.outbox.enqueued(["mem_1", "mem_2", "gone"]) == ["mem_2"]
    assert await stores.outbox.enqueue(["mem_1", "mem_2", "gone"]) == 2
    assert await stores.outbox.enqueue(["mem_1", "mem_2", "gone"]) == 0
    assert {entry.memory_id for entry in await claim(stores, now)} == {"mem_1", "mem_2", "gone"}


async def test_an_outage_counts_no_attempt_and_its_end_makes_entries_due(
    stores: Stores, remember: Any, now: datetime
) -> None:
    await remember("mem_1")
    await stores.outbox.postpone(await claim(stores, now), now + MINUTE, counted=False)
    await remember("mem_2")
    await stores.outbox.postpone(await claim(stores, now), now + MINUTE)
    assert (await claim(stores, now), await stores.outbox.next_due()) == ([], now + MINUTE)
    await stores.outbox.hasten()
    assert [(entry.memory_id, entry.attempts) for entry in await claim(stores, now)] == [("mem_1", 0)]


async def test_a_dead_letter_waits_until_it_is_revived_or_its_memory_changes(
    stores: Stores, remember: Any, now: datetime
) -> None:
    one, two = await remember("mem_1"), await remember("mem_2")
    await stores.outbox.bury(await claim(stores, now))
    assert (await claim(stores, now + 10_000 * MINUTE), await stores.outbox.next_due()) == ([], None)
    assert (await stores.outbox.backlog(), await stores.outbox.dead(), await stores.outbox.pending()) == (0, 2, 2)
    await stores.outbox.hasten()
    async with stores.transaction() as transaction:
        await transaction.replace(replace(one, content="a badger"))
    assert [(entry.memory_id, entry.attempts) for entry in await claim(stores, now)] == [(one.id, 0)]
    assert (await stores.outbox.revive(), await stores.outbox.revive()) == (1, 0)
    assert {(entry.memory_id, entry.attempts) for entry in await claim(stores, now)} == {(one.id, 0), (two.id, 0)}


async def test_what_is_due_now_was_due_before_now(stores: Stores, remember: Any, now: datetime) -> None:
    assert await stores.outbox.next_due() is None
    await remember("mem_1")
    due = await stores.outbox.next_due()
    assert due is not None
    assert due < now
