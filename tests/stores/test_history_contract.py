"""What every adapter keeps of a memory's versions and of the replies to writes."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from loci_dataplane.model.history import Author, Event
from loci_dataplane.model.reply import Attempt, Reply
from loci_dataplane.stores.history_ports import HISTORY_KEPT, HISTORY_VERSIONS
from loci_dataplane.stores.ports import Stores

HOUR = timedelta(hours=1)
FIRST = Attempt("key", "fingerprint")


async def events(stores: Stores, memory_id: str) -> list[tuple[int, Event, str | None]]:
    return [
        (change.version, change.event, change.memory.content if change.memory else None)
        for change in await stores.history.versions(memory_id)
    ]


async def test_a_history_tells_each_version_its_author_and_its_time(
    stores: Stores, remember: Any, now: datetime
) -> None:
    memory = await remember("mem_1", "an otter", user_id="ada", metadata={"n": 1}, expires_at=now + HOUR)
    changed = replace(memory, content="a badger", user_id=None, version=2, updated_at=now + HOUR)
    async with stores.transaction(Author("k1", now + HOUR)) as transaction:
        await transaction.replace(changed)
    async with stores.transaction(Author("k2", now + 2 * HOUR)) as transaction:
        await transaction.delete(["mem_1"])
        assert await transaction.last_version("mem_1") == 3
    first, second, third = await stores.history.versions("mem_1")
    assert first.memory is not None
    assert second.memory is not None
    assert replace(first.memory, order=memory.order) == memory
    assert replace(second.memory, order=memory.order) == changed
    assert (second.event, second.author) == (Event.UPDATED, Author("k1", now + HOUR))
    assert (third.event, third.author, third.memory) == (Event.DELETED, Author("k2", now + 2 * HOUR), None)
    assert (first.event, [change.version for change in (first, second, third)]) == (Event.CREATED, [1, 2, 3])


async def test_an_id_that_was_never_used_has_no_history(stores: Stores) -> None:
    assert await stores.history.versions("mem_unknown") == []
    async with stores.transaction() as transaction:
        assert await transaction.last_version("mem_unknown") == 0


async def test_expiry_is_an_event_without_an_author(stores: Stores, remember: Any, now: datetime) -> None:
    await remember("mem_1", expires_at=now)
    async with stores.transaction(Author("k1", now)) as transaction:
        assert await transaction.delete_expired(now, 10) == 1
    assert await events(stores, "mem_1") == [(1, Event.CREATED, "an otter"), (2, Event.EXPIRED, None)]
    assert (await stores.history.versions("mem_1"))[-1].author == Author(None, now)


async def test_a_history_keeps_a_bounded_number_of_versions(stores: Stores, remember: Any) -> None:
    memory = await remember("mem_1")
    last = HISTORY_VERSIONS + 5
    async with stores.transaction() as transaction:
        for version in range(2, last + 1):
            await transaction.replace(replace(memory, content=f"version {version}", version=version))
    kept = await events(stores, "mem_1")
    assert [version for version, *_ in kept] == list(range(6, last + 1))
    assert [content for *_, content in kept] == [f"version {version}" for version in range(6, last + 1)]


async def test_the_history_of_a_deleted_memory_goes_after_a_time(stores: Stores, remember: Any, now: datetime) -> None:
    for memory_id in ("mem_old", "mem_back", "mem_new", "mem_live"):
        await remember(memory_id)
    async with stores.transaction(Author(None, now)) as transaction:
        await transaction.delete(["mem_old", "mem_back"])
    await remember("mem_back", version=3)
    async with stores.transaction(Author(None, now + HISTORY_KEPT)) as transaction:
        await transaction.delete(["mem_new"])
    assert await events(stores, "mem_old") == []
    assert len(await events(stores, "mem_new")) == 2
    assert len(await events(stores, "mem_back")) == 3
    assert await events(stores, "mem_live") == [(1, Event.CREATED, "an otter")]


async def test_nothing_of_a_failed_transaction_is_in_the_history(stores: Stores, remember: Any, now: datetime) -> None:
    memory = await remember("mem_1")

    async def fail() -> None:
        async with stores.transaction() as transaction:
            await transaction.replace(replace(memory, content="a badger", version=2))
            await transaction.keep_reply(FIRST, Reply(201), now, now + HOUR)
            raise KeyError

    with pytest.raises(KeyError):
        await fail()
    assert await events(stores, "mem_1") == [(1, Event.CREATED, "an otter")]
    async with stores.transaction() as transaction:
        assert await transaction.reply("key", now) is None


async def test_a_reply_is_kept_until_it_expires(stores: Stores, now: datetime) -> None:
    reply = Reply(201, b'{"id": "\xc3\xa4"}', {"ETag": '"1"', "Location": "/x"}, ("mem_1", "mem_2"))
    async with stores.transaction() as transaction:
        assert await transaction.reply("key", now) is None
        await transaction.keep_reply(FIRST, reply, now, now + HOUR)
        await transaction.keep_reply(Attempt("other", "f"), Reply(204), now, now + 3 * HOUR)
    async with stores.transaction() as transaction:
        kept = await transaction.reply("key", now)
        assert kept == ("fingerprint", replace(reply, memory_ids=()))
        assert await transaction.reply("other", now) == ("f", Reply(204))
        assert await transaction.reply("key", now + HOUR) is None


async def test_a_key_can_be_used_again_after_its_reply_has_expired(stores: Stores, now: datetime) -> None:
    async with stores.transaction() as transaction:
        await transaction.keep_reply(FIRST, Reply(201, b"1", {}, ("mem_1",)), now, now + HOUR)
        await transaction.keep_reply(Attempt("key", "new"), Reply(201, b"2"), now + HOUR, now + 2 * HOUR)
        assert await transaction.reply("key", now + HOUR) == ("new", Reply(201, b"2"))
