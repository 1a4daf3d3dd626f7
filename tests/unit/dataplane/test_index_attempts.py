"""Outages keep batches whole and count nothing; an entry that fails by itself is found, and set aside in the end."""

from __future__ import annotations

from datetime import timedelta

import pytest

from loci_dataplane.outbox.attempts import ATTEMPTS_MAX
from loci_dataplane.stores.errors import StorageFullError
from loci_dataplane.stores.outbox_ports import OutboxEntry
from loci_dev.rigs.index_fakes import Index, Memories, Model, Nodes, attempts, indexer

IDS = [f"m{number:02}" for number in range(32)]


def fine(*ids: str) -> Memories:
    return Memories.of(dict.fromkeys(ids, "fine"), ids)


async def test_one_bad_entry_among_many_delays_no_other() -> None:
    outbox, index = fine(*IDS), Index()
    outbox.contents["m13"] = "poison"
    tried = attempts(outbox, index, Model())
    await tried.index(outbox.waiting)
    assert index.ids == set(IDS) - {"m13"}
    assert (outbox.attempts, tried.outage) == ({"m13": 1}, None)


async def test_an_entry_that_a_healthy_store_refuses_is_found_too() -> None:
    outbox, index = fine(*IDS), Index()
    index.cursed = {"m07", "m30"}
    await attempts(outbox, index, Model()).index(outbox.waiting)
    assert index.ids == set(IDS) - index.cursed
    assert outbox.attempts == {"m07": 1, "m30": 1}


async def test_a_poison_entry_becomes_a_dead_letter_and_a_change_or_an_hour_revives_it() -> None:
    outbox, index = fine("a"), Index()
    outbox.contents["a"] = "poison"
    tried = indexer(outbox, index, Model())
    for _ in range(ATTEMPTS_MAX + 3):
        await tried._drain()
        outbox.pass_time()
    assert (outbox.attempts, await outbox.dead()) == ({"a": ATTEMPTS_MAX}, 1)
    outbox.pass_time(3600)
    await tried._drain()
    assert (outbox.attempts, await outbox.dead()) == ({"a": 1}, 0)
    outbox.contents["a"] = "fine"
    outbox.pass_time()
    await tried._drain()
    assert (index.ids, outbox.waiting) == ({"a"}, [])


async def test_waits_longer_after_each_failure_of_an_entry_but_never_more_than_a_minute() -> None:
    outbox = fine("a")
    outbox.contents["a"] = "poison"
    tried = attempts(outbox, Index(), Model())
    for attempt in range(ATTEMPTS_MAX - 1):
        await tried.index(outbox.waiting)
        longest = timedelta(seconds=min(60, 0.5 * 2**attempt))
        assert all(longest / 2 <= delay <= longest for delay in outbox.delays)


@pytest.mark.parametrize("away", ["vectors", "graph", "embedder", "full"])
async def test_an_outage_postpones_a_batch_as_a_whole_and_counts_no_attempt(away: str) -> None:
    outbox, index, model, nodes = fine(*IDS), Index(down=away == "vectors"), Model(down=away == "embedder"), Nodes()
    nodes.down = away in {"graph", "full"}
    if away == "full":
        nodes.error = StorageFullError("graph", "full")
    tried = attempts(outbox, index, model, nodes)
    for _ in range(12):
        assert not await tried.index(outbox.waiting)
    assert (set(outbox.attempts.values()), await outbox.dead(), len(outbox.waiting)) == ({0}, 0, len(IDS))
    assert tried.outage == ("graph" if away == "full" else away)
    assert all(timedelta(seconds=15) <= delay <= timedelta(seconds=30) for delay in outbox.delays)
    assert index.writes <= 12, "in batches"


async def test_after_an_outage_all_catches_up_at_once_and_dead_letters_get_another_chance() -> None:
    outbox, index, model = fine(*IDS, "dead"), Index(), Model(down=True)
    await outbox.bury([entry for entry in outbox.waiting if entry.memory_id == "dead"])
    tried = indexer(outbox, index, model)
    tried._revived_at = outbox.time
    await tried._drain()
    assert (index.ids, await outbox.dead()) == (set(), 1)
    model.down = False
    outbox.contents["new"] = "fine"
    outbox.waiting.append(OutboxEntry("new", 1, 0))
    while await tried._drain():
        pass
    assert index.ids == {*IDS, "dead", "new"}
    assert tried._attempts.outage is None
    assert tried._reconciler._wake.is_set(), "the store may have lost something"


async def test_a_graph_that_is_down_keeps_no_memory_from_its_vectors_and_costs_no_second_embedding() -> None:
    outbox, index, model, nodes = fine("a"), Index(), Model(), Nodes(down=True)
    tried = attempts(outbox, index, model, nodes)
    for _ in range(3):
        await tried.index(outbox.waiting)
    assert (index.ids, model.texts, len(outbox.waiting)) == ({"a"}, 1, 1)
    nodes.down = False
    await tried.index(outbox.waiting)
    assert (nodes.ids, model.texts, outbox.waiting) == ({"a"}, 1, [])


async def test_a_change_while_the_graph_is_down_is_embedded() -> None:
    outbox, model = fine("a"), Model()
    tried = attempts(outbox, Index(), model, Nodes(down=True))
    await tried.index(outbox.waiting)
    await tried.index([OutboxEntry("a", revision=2, attempts=0)])
    assert model.texts == 2


async def test_an_embedder_that_is_down_keeps_no_memory_from_the_graph() -> None:
    outbox, nodes = fine("a"), Nodes()
    await attempts(outbox, Index(), Model(down=True), nodes).index(outbox.waiting)
    assert (nodes.ids, len(outbox.waiting)) == ({"a"}, 1)
