"""What every adapter of Erasures does."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from loci_contract.receipts import problems
from loci_dataplane.graph.extraction.extract import extract
from loci_dataplane.model.erasure import Erasure
from loci_dataplane.model.filter import Condition
from loci_dataplane.model.history import Author, Event
from loci_dataplane.model.memory import Memory
from loci_dataplane.model.paths import parse_path
from loci_dataplane.model.reply import Attempt, Reply
from loci_dataplane.stores.ports import Stores

ADA = Condition("user_id", "eq", "ada")


async def begin(stores: Stores, now: datetime, name: str = "ers_1") -> str:
    await stores.erasures.begin(Erasure(name, now, "k1", {"user_id": "ada"}))
    return name


async def erase_all(stores: Stores, name: str, limit: int = 2) -> set[str]:
    erased: set[str] = set()
    while ids := (await stores.erasures.erase(name, ADA, limit)).memory_ids:
        erased |= set(ids)
    return erased


async def keep(stores: Stores, key: str, now: datetime, *ids: str) -> None:
    async with stores.transaction() as transaction:
        await transaction.keep_reply(Attempt(key, "f"), Reply(201, b"{}", {}, ids), now, now + timedelta(days=1))


async def kept(stores: Stores, key: str, now: datetime) -> bool:
    async with stores.transaction() as transaction:
        return await transaction.reply(key, now) is not None


async def test_all_that_matches_goes_with_its_versions_and_replies(
    stores: Stores, remember: Any, now: datetime
) -> None:
    for number in range(5):
        await remember(f"a{number}", "an otter", user_id="ada")
    await remember("expired", "an otter", user_id="ada", expires_at=now - timedelta(1))
    await remember("b", "an otter", user_id="bob")
    await keep(stores, "ada's", now, "a1", "b")
    await keep(stores, "bob's", now, "b")
    name = await begin(stores, now)
    assert await erase_all(stores, name) == {"a0", "a1", "a2", "a3", "a4", "expired"}
    assert set(await stores.records.get(["a0", "a4", "b"], now)) == {"b"}
    assert [await stores.history.versions(i) for i in ("a0", "expired")] == [[], []]
    assert len(await stores.history.versions("b")) == 1
    assert [await kept(stores, key, now) for key in ("ada's", "bob's")] == [False, True]
    hits = await stores.full_text.search(["otter"], Condition("user_id", "ne", "x"), 10, now)
    assert [hit.memory_id for hit in hits] == ["b"]
    erasure = await stores.erasures.get(name)
    assert erasure is not None
    assert {k: erasure.removed[k] for k in ("memories", "versions", "replies")} == {
        "memories": 6,
        "versions": 6,
        "replies": 1,
    }


async def test_a_deleted_memory_goes_with_all_its_versions(stores: Stores, remember: Any, now: datetime) -> None:
    memory = await remember("a", "an otter", user_id="ada")
    async with stores.transaction(Author(None, now)) as transaction:
        await transaction.replace(replace(memory, user_id=None, version=2))
        await transaction.delete(["a"])
    assert await erase_all(stores, await begin(stores, now)) == {"a"}
    assert await stores.history.versions("a") == []


async def test_only_the_matching_version_of_another_memory_goes(stores: Stores, remember: Any, now: datetime) -> None:
    memory = await remember("b", "ada's otter", user_id="ada")
    await keep(stores, "first", now, "b")
    async with stores.transaction() as transaction:
        await transaction.replace(replace(memory, user_id="bob", content="a badger", version=2))
    assert await erase_all(stores, await begin(stores, now)) == set()
    first, second = await stores.history.versions("b")
    assert (first.event, first.memory) == (Event.CREATED, None)
    assert second.memory is not None
    assert (second.memory.content, second.memory.user_id) == ("a badger", "bob")
    assert not await kept(stores, "first", now)


async def test_erased_memories_are_enqueued_for_the_indexes(stores: Stores, remember: Any, now: datetime) -> None:
    await remember("a", user_id="ada")
    await remember("gone", user_id="ada")
    async with stores.transaction() as transaction:
        await transaction.delete(["gone"])
    await stores.outbox.finish(await stores.outbox.claim(10, now, timedelta()))
    await erase_all(stores, await begin(stores, now))
    assert {entry.memory_id for entry in await stores.outbox.claim(10, now, timedelta())} == {"a", "gone"}


async def test_what_is_left_is_counted(stores: Stores, remember: Any, now: datetime) -> None:
    await remember("a", user_id="ada")
    await stores.outbox.finish(await stores.outbox.claim(10, now, timedelta()))
    before = await stores.erasures.remaining(ADA, ["a"])
    assert before["memories"] == 2, "by its id and by the filter"
    assert before["versions"] == 1
    await erase_all(stores, await begin(stores, now))
    assert (await stores.erasures.remaining(ADA, ["a"]))["outbox"] == 1
    await stores.outbox.finish(await stores.outbox.claim(10, now, timedelta()))
    assert not any((await stores.erasures.remaining(ADA, ["a"])).values())


async def test_filters_on_metadata_reach_versions(stores: Stores, remember: Any, now: datetime) -> None:
    await remember("a", metadata={"topic": {"name": "Health"}, "n": 1.0})
    async with stores.transaction(Author(None, now)) as transaction:
        await transaction.delete(["a"])
    name = await begin(stores, now)
    assert (await stores.erasures.erase(name, Condition(parse_path("n"), "eq", 2), 10)).memory_ids == ()
    where = Condition(parse_path("topic.name"), "contains", "health")
    assert (await stores.erasures.erase(name, where, 10)).memory_ids == ("a",)


async def test_receipts_are_a_chain_and_hold_no_request(stores: Stores, now: datetime) -> None:
    names = [await begin(stores, now, f"ers_{number}") for number in (1, 2)]
    pending = await stores.erasures.pending()
    assert pending is not None
    assert (pending.id, pending.request, pending.key_id, pending.requested_at) == (
        names[0],
        {"user_id": "ada"},
        "k1",
        now,
    )
    for name in names[::-1]:
        await stores.erasures.complete(name, {"id": name})
    assert await stores.erasures.pending() is None
    found = [await stores.erasures.get(name) for name in names[::-1]]
    receipts = [erasure.receipt for erasure in found if erasure and erasure.receipt]
    assert list(problems(receipts)) == []
    assert [(receipt["number"], receipt["id"]) for receipt in receipts] == [(1, "ers_2"), (2, "ers_1")]
    assert [erasure.request for erasure in found if erasure] == [None, None]
    assert await stores.erasures.get("ers_unknown") is None


async def test_an_erasure_that_two_pods_complete_has_one_receipt(stores: Stores, now: datetime) -> None:
    first, second = await begin(stores, now, "ers_1"), await begin(stores, now, "ers_2")
    for name, by in ((first, "one"), (first, "other"), (second, "one")):
        await stores.erasures.complete(name, {"id": name, "by": by})
    found = [await stores.erasures.get(name) for name in (first, second)]
    receipts = [erasure.receipt for erasure in found if erasure and erasure.receipt]
    assert list(problems(receipts)) == []
    assert [(receipt["number"], receipt["by"]) for receipt in receipts] == [(1, "one"), (2, "one")]


async def test_what_the_graph_has_of_a_memory_is_counted_as_left(stores: Stores, now: datetime) -> None:
    memory = Memory("a", "Ada lives in Porto", None, None, None, {}, now, now, order=1)
    await stores.graph.update([extract(memory)], [], 10)
    left = await stores.erasures.remaining(ADA, ["a"])
    assert {name: left[name] for name in ("graph", "graph mentions", "graph facts")} == {
        "graph": 1,
        "graph mentions": 2,
        "graph facts": 1,
    }
    await stores.graph.update([], ["a"], 10)
    assert not any((await stores.erasures.remaining(ADA, ["a"])).values())


async def test_a_restored_history_is_as_it_was(stores: Stores, remember: Any, now: datetime) -> None:
    memory = await remember("a", "an otter", user_id="ada", metadata={"n": 1})
    async with stores.transaction(Author("k1", now)) as transaction:
        await transaction.replace(replace(memory, content="a badger", version=2))
    live = await stores.history.versions("a")
    async with stores.transaction(Author("k2", now)) as transaction:
        await transaction.delete(["a"])
    ended = await stores.history.versions("a")
    assert await stores.history.deleted("", 10) == ["a"]
    assert await stores.history.deleted("a", 10) == []
    for changes in (live, ended):
        await erase_all(stores, await begin(stores, now, f"ers_{len(changes)}"))
        async with stores.transaction(Author("k3", now)) as transaction:
            await transaction.restore(changes, 10)
        restored = await stores.history.versions("a")
        assert [replace(c, memory=c.memory and replace(c.memory, order=0)) for c in restored] == [
            replace(c, memory=c.memory and replace(c.memory, order=0)) for c in changes
        ]
        assert await stores.records.count() == (1 if changes is live else 0)
