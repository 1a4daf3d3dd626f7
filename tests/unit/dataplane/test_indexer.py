"""How the indexer treats failures. The outbox here is a list; the real one is tried in tests/integration."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import cast

import numpy as np
import pytest

from loci_dataplane.model.graph import Extraction, GraphSize
from loci_dataplane.model.history import Author
from loci_dataplane.model.memory import Memory
from loci_dataplane.outbox.graph_index import Extract, GraphIndex
from loci_dataplane.outbox.indexer import Indexer
from loci_dataplane.stores.embedding import EmbeddingModel, Purpose
from loci_dataplane.stores.errors import EmbedderUnavailableError, StoreUnavailableError
from loci_dataplane.stores.history_ports import Erasures, History
from loci_dataplane.stores.ports import FullText, Graph, OutboxEntry, Records, Stores, Transaction, Vector, Vectors
from loci_dataplane.text.parts import parts

NOW = datetime(2026, 1, 1, tzinfo=UTC)


class Memories:
    """The rows and the outbox that the indexer needs, with entries that are always due."""

    def __init__(self, contents: dict[str, str], waiting: Sequence[str]) -> None:
        self.contents = contents
        self.waiting = [OutboxEntry(memory_id, revision=1, attempts=0) for memory_id in waiting]
        self.delays: list[timedelta] = []

    async def claim(self, limit: int, now: datetime, lease: timedelta) -> Sequence[OutboxEntry]:
        del now, lease
        return self.waiting[:limit]

    async def get(self, ids: Sequence[str], now: datetime) -> dict[str, Memory]:
        found = {i: self.contents[i] for i in ids if i in self.contents}
        return {i: Memory(i, text, None, None, None, {}, now, now) for i, text in found.items()}

    async def has_expired(self, now: datetime) -> bool:
        del now
        return False

    async def backlog(self) -> int:
        return len(self.waiting)

    async def pending(self) -> int:
        return len(self.contents.keys() & {entry.memory_id for entry in self.waiting})

    async def settled(self) -> int:
        return len(self.contents.keys() - {task.memory_id for task in self.waiting})

    async def enqueue_all(self) -> None:
        held = {task.memory_id for task in self.waiting}
        self.waiting += [
            OutboxEntry(memory_id, revision=1, attempts=0) for memory_id in self.contents if memory_id not in held
        ]

    async def finish(self, entries: Sequence[OutboxEntry]) -> None:
        self.waiting = [task for task in self.waiting if task not in entries]

    async def postpone(self, entries: Sequence[OutboxEntry], due_at: datetime) -> None:
        self.delays.append(due_at - NOW)
        self.waiting = [replace(task, attempts=task.attempts + (task in entries)) for task in self.waiting]


class Index:
    """Vectors in a dict."""

    def __init__(self, *ids: str) -> None:
        self.ids = set(ids)
        self.parts: dict[str, int] = {}

    async def count(self) -> int:
        return len(self.ids)

    async def replace(self, parts: Mapping[str, Vector]) -> None:
        self.ids |= parts.keys()
        self.parts |= {memory_id: len(vectors) for memory_id, vectors in parts.items()}

    async def delete(self, ids: Sequence[str]) -> None:
        self.ids -= set(ids)


class Model:
    """Fails on poison, and on everything while it is down."""

    def __init__(self, *, down: bool = False) -> None:
        self.down = down
        self.texts = 0

    async def embed(self, texts: Sequence[str], purpose: Purpose, *, interactive: bool) -> Vector:
        assert not interactive
        assert purpose is Purpose.PASSAGE
        assert 1 <= len(texts) <= 64
        if self.down:
            raise EmbedderUnavailableError("down")
        if "poison" in texts:
            raise ValueError("poison")
        self.texts += len(texts)
        return np.ones((len(texts), 2), dtype=np.float32)

    async def model(self) -> EmbeddingModel:
        return EmbeddingModel("ones", 0.5, 0.1)


@contextlib.asynccontextmanager
async def no_transaction(author: Author | None = None) -> AsyncIterator[Transaction]:
    del author
    yield cast("Transaction", None)


class Nodes:
    """The graph as the ids of its memories; `size` claims to be complete unless told otherwise."""

    def __init__(self, *, memories: int = 1_000, down: bool = False) -> None:
        self.ids: set[str] = set()
        self.memories = memories
        self.down = down

    async def update(self, extractions: Sequence[Extraction], deleted: Sequence[str], max_nodes: int) -> None:
        assert max_nodes == 100
        if self.down:
            raise StoreUnavailableError("graph", "down")
        self.ids = (self.ids | {extraction.memory_id for extraction in extractions}) - set(deleted)

    async def size(self) -> GraphSize:
        if self.down:
            raise StoreUnavailableError("graph", "down")
        return GraphSize(0, self.memories, 0)


def nothing(memory: Memory) -> Extraction:
    return Extraction(memory.id)


def indexer(
    memories: Memories, index: Index, model: Model, nodes: Nodes | None = None, extract: Extract = nothing
) -> Indexer:
    records, vectors, full_text = cast("Records", memories), cast("Vectors", index), cast("FullText", None)
    graph = cast("Graph", nodes or Nodes())
    history, erasures = cast("History", None), cast("Erasures", None)
    stores = Stores(no_transaction, records, history, erasures, full_text, memories, vectors, graph)
    return Indexer(stores, model, GraphIndex(graph, extract, lambda: 100), lambda: NOW, "acme")


async def test_a_bad_entry_delays_no_other() -> None:
    outbox, index = Memories({"a": "fine", "b": "poison", "c": "fine"}, ["a", "b", "c"]), Index()
    tried = indexer(outbox, index, Model())
    assert await tried._drain()
    assert await tried._drain()
    assert index.ids == {"a", "c"}
    assert [(task.memory_id, task.attempts) for task in outbox.waiting] == [("b", 2)]


async def test_every_part_of_a_long_content_is_embedded_within_the_embedders_bounds() -> None:
    long = "a heron stands in the reeds and waits. " * 800
    outbox, index = Memories({"a": "fine", "b": long, "c": long}, ["a", "b", "c"]), Index()
    await indexer(outbox, index, Model())._drain()
    assert index.parts == {"a": 1, "b": len(parts(long)), "c": len(parts(long))}
    assert len(parts(long)) > 40
    assert outbox.waiting == []


async def test_what_has_no_row_any_more_loses_its_vector() -> None:
    outbox, index = Memories({}, ["gone"]), Index("gone", "other")
    await indexer(outbox, index, Model())._drain()
    assert index.ids == {"other"}
    assert outbox.waiting == []


@pytest.mark.parametrize(
    ("indexed", "waiting"),
    [(("a", "b"), ["c", "gone"]), (("a",), ["c", "gone", "a", "b"]), ((), ["c", "gone", "a", "b"])],
)
async def test_an_index_that_lacks_something_is_made_anew(indexed: tuple[str, ...], waiting: list[str]) -> None:
    outbox = Memories({"a": "fine", "b": "fine", "c": "fine"}, ["c", "gone"])
    await indexer(outbox, Index(*indexed), Model())._complete()
    assert [task.memory_id for task in outbox.waiting] == waiting


async def test_waits_longer_after_each_failure_but_never_more_than_a_minute() -> None:
    outbox = Memories({"a": "fine"}, ["a"])
    tried = indexer(outbox, Index(), Model(down=True))
    for _ in range(12):
        await tried._drain()
    longest = [timedelta(seconds=min(60, 0.5 * 2**attempt)) for attempt in range(12)]
    assert all(bound / 2 <= delay <= bound for delay, bound in zip(outbox.delays, longest, strict=True))


async def test_a_writer_waits_for_its_index_and_no_longer_than_its_budget() -> None:
    outbox, index = Memories({"a": "fine"}, []), Index()
    tried = indexer(outbox, index, Model())
    tried.touch()
    await tried.settle(0.01)  # nobody indexes, yet this returns
    async with tried.running():
        outbox.waiting = [OutboxEntry("a", 1, 0)]
        tried.touch()
        await tried.settle(30)
    assert index.ids == {"a"}
    assert tried.generation >= 3


async def test_outlives_a_store_that_fails() -> None:
    class Broken(Memories):
        failures = 1

        async def claim(self, limit: int, now: datetime, lease: timedelta) -> Sequence[OutboxEntry]:
            if self.failures:
                self.failures -= 1
                raise OSError("disk")
            return await super().claim(limit, now, lease)

    outbox, index = Broken({"a": "fine"}, ["a"]), Index()
    tried = indexer(outbox, index, Model())
    async with tried.running():
        async with asyncio.timeout(30):
            while outbox.waiting:
                tried.touch()
                await tried.settle(0.05)
    assert index.ids == {"a"}


async def test_the_graph_follows_the_rows() -> None:
    nodes = Nodes()
    nodes.ids = {"gone"}
    await indexer(Memories({"a": "fine"}, ["a", "gone"]), Index("gone"), Model(), nodes)._drain()
    assert nodes.ids == {"a"}


async def test_a_graph_that_is_down_keeps_no_memory_from_its_vectors_and_costs_no_second_embedding() -> None:
    outbox, index, model, nodes = Memories({"a": "fine"}, ["a"]), Index(), Model(), Nodes(down=True)
    tried = indexer(outbox, index, model, nodes)
    assert await tried._complete()
    for _ in range(3):
        await tried._drain()
    assert (index.ids, model.texts, len(outbox.waiting)) == ({"a"}, 1, 1)
    nodes.down = False
    await tried._drain()
    assert (nodes.ids, model.texts, outbox.waiting) == ({"a"}, 1, [])


async def test_a_change_while_the_graph_is_down_is_embedded() -> None:
    outbox, index, model, nodes = Memories({"a": "fine"}, ["a"]), Index(), Model(), Nodes(down=True)
    tried = indexer(outbox, index, model, nodes)
    await tried._drain()
    outbox.waiting = [OutboxEntry("a", revision=2, attempts=0)]
    await tried._drain()
    assert model.texts == 2


async def test_an_embedder_that_is_down_keeps_no_memory_from_the_graph() -> None:
    outbox, nodes = Memories({"a": "fine"}, ["a"]), Nodes()
    await indexer(outbox, Index(), Model(down=True), nodes)._drain()
    assert (nodes.ids, len(outbox.waiting)) == ({"a"}, 1)


async def test_a_graph_that_lacks_memories_is_made_anew() -> None:
    outbox = Memories({"a": "fine", "b": "fine"}, [])
    await indexer(outbox, Index("a", "b"), Model(), Nodes(memories=1))._complete()
    assert [entry.memory_id for entry in outbox.waiting] == ["a", "b"]


async def test_a_fault_in_a_rule_costs_the_memory_nothing_else() -> None:
    def faulty(memory: Memory) -> Extraction:
        raise IndexError(memory.content)

    outbox, index, nodes = Memories({"a": "fine"}, ["a"]), Index(), Nodes()
    await indexer(outbox, index, Model(), nodes, faulty)._drain()
    assert (index.ids, nodes.ids, outbox.waiting) == ({"a"}, {"a"}, [])
