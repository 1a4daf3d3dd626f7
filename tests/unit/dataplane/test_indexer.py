"""The indexer: its writes, and when it works and sleeps. The outbox is a list; the real one is in tests/integration."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta

from loci_dataplane.model.memory import Memory
from loci_dataplane.stores.outbox_ports import OutboxEntry
from loci_dataplane.text.parts import parts
from loci_dev.rigs.index_fakes import Index, Memories, Model, Nodes, indexer


async def test_every_part_of_a_long_content_is_embedded_within_the_embedders_bounds() -> None:
    long = "a heron stands in the reeds and waits. " * 800
    outbox, index = Memories.of({"a": "fine", "b": long, "c": long}, ["a", "b", "c"]), Index()
    await indexer(outbox, index, Model())._drain()
    assert index.parts == {"a": 1, "b": len(parts(long)), "c": len(parts(long))}
    assert len(parts(long)) > 40
    assert outbox.waiting == []


async def test_what_has_no_row_any_more_loses_its_vector_and_its_part_of_the_graph() -> None:
    outbox, index, nodes = Memories.of({"a": "fine"}, ["a", "gone"]), Index("gone", "other"), Nodes("gone")
    await indexer(outbox, index, Model(), nodes)._drain()
    assert (index.ids, nodes.ids) == ({"a", "other"}, {"a"})
    assert outbox.waiting == []


async def test_a_writer_waits_for_its_index_and_no_longer_than_its_budget() -> None:
    outbox, index = Memories.of({"a": "fine"}, []), Index()
    tried = indexer(outbox, index, Model())
    tried.touch()
    await tried.settle(0.01)  # nobody indexes, yet this returns
    async with tried.running():
        outbox.waiting = [OutboxEntry("a", 1, 0)]
        tried.touch()
        await tried.settle(30)
    assert index.ids == {"a"}
    assert tried.generation >= 3


async def test_no_writer_waits_for_an_embedder_that_is_away() -> None:
    outbox = Memories.of({"a": "fine"}, ["a"])
    tried = indexer(outbox, Index(), Model(down=True))
    await tried._drain()
    tried.touch()
    async with asyncio.timeout(10):
        await tried.settle(1_000)


async def test_outlives_a_store_that_fails() -> None:
    class Broken(Memories):
        failures = 1

        async def claim(self, limit: int, now: datetime, lease: timedelta) -> Sequence[OutboxEntry]:
            if self.failures:
                self.failures -= 1
                raise OSError("disk")
            return await super().claim(limit, now, lease)

    outbox, index = Broken.of({"a": "fine"}, ["a"]), Index()
    tried = indexer(outbox, index, Model())
    async with tried.running(), asyncio.timeout(30):
        while outbox.waiting:
            tried.touch()
            await tried.settle(0.05)
    assert index.ids == {"a"}


async def test_an_idle_tenant_is_left_alone_until_something_changes() -> None:
    outbox, index = Memories.of({"a": "fine"}, []), Index("a")
    tried = indexer(outbox, index, Model(), Nodes("a"))
    assert await tried._until_next(600.0) == 600.0
    async with tried.running():
        tried.touch()
        await tried.settle(30)
        outbox.contents["b"] = "fine"
        outbox.waiting = [OutboxEntry("b", 1, 0)]
        tried.touch()
        await tried.settle(30)
    assert index.ids == {"a", "b"}


async def test_sleeps_until_the_next_entry_is_due_or_the_next_memory_expires() -> None:
    class Expiring(Memories):
        expiry: datetime | None = None

        async def first_expiry(self) -> datetime | None:
            return self.expiry

    outbox = Expiring.of({"a": "fine"}, ["a"])
    tried = indexer(outbox, Index(), Model())
    outbox.due["a"] = outbox.time + timedelta(seconds=7)
    assert await tried._until_next(600.0) == 7.0
    outbox.expiry = outbox.time + timedelta(seconds=3)
    assert await tried._until_next(600.0) == 3.0
    outbox.expiry = outbox.time - timedelta(days=1)
    assert 0 < await tried._until_next(600.0) < 1


async def test_a_fault_in_a_rule_costs_the_memory_nothing_else() -> None:
    def faulty(memory: Memory) -> None:
        raise IndexError(memory.content)

    outbox, index, nodes = Memories.of({"a": "fine"}, ["a"]), Index(), Nodes()
    await indexer(outbox, index, Model(), nodes, faulty)._drain()  # type: ignore[arg-type] # it never returns
    assert (index.ids, nodes.ids, outbox.waiting) == ({"a"}, {"a"}, [])
