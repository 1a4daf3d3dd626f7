"""Rows, outbox, vectors, graph and model as plain collections, for the pure logic of the indexer.

The clock stands still unless a test moves it, so entries that were postponed are due only after `pass_time`.
"""

# ruff: noqa: D102, PLR2004 - the ports tell what these methods do
from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Final, Self, cast

import numpy as np

from loci_dataplane.model.graph import Extraction, GraphSize
from loci_dataplane.model.history import Author
from loci_dataplane.model.memory import Memory
from loci_dataplane.outbox.attempts import Attempts
from loci_dataplane.outbox.graph_index import Extract, GraphIndex
from loci_dataplane.outbox.index_writer import IndexWriter
from loci_dataplane.outbox.indexer import Indexer
from loci_dataplane.outbox.vector_index import VectorIndex
from loci_dataplane.stores.embedding import EmbeddingModel, Purpose
from loci_dataplane.stores.errors import EmbedderUnavailableError, StoreError, StoreUnavailableError
from loci_dataplane.stores.generations import FIRST, Entry, Generations, Record
from loci_dataplane.stores.history_ports import Erasures, History
from loci_dataplane.stores.outbox_ports import OutboxEntry
from loci_dataplane.stores.ports import FullText, Graph, Records, Stores, Transaction, Vector, Vectors

NOW: Final = datetime(2026, 1, 1, tzinfo=UTC)
NEVER: Final = datetime.max.replace(tzinfo=UTC)


@dataclass
class Memories:
    """The rows and the outbox that the indexer needs."""

    contents: dict[str, str]
    waiting: list[OutboxEntry]
    due: dict[str, datetime] = field(default_factory=dict)
    time: datetime = NOW
    claims: int = 0

    @classmethod
    def of(cls, contents: dict[str, str], waiting: Sequence[str]) -> Self:
        """Return rows by id, with an entry for each of some ids."""
        return cls(contents, [OutboxEntry(memory_id, 1, 0) for memory_id in waiting])

    def now(self) -> datetime:
        """Return the time of the fake clock."""
        return self.time

    def pass_time(self, seconds: float = 60.0) -> None:
        """Move the clock."""
        self.time += timedelta(seconds=seconds)

    @property
    def attempts(self) -> dict[str, int]:
        """Failed attempts by entry."""
        return {entry.memory_id: entry.attempts for entry in self.waiting}

    @property
    def delays(self) -> list[timedelta]:
        """How long the entries wait from now on."""
        return [due - self.time for due in self.due.values()]

    async def claim(self, limit: int, now: datetime, lease: timedelta) -> Sequence[OutboxEntry]:
        del lease
        self.claims += 1
        return [entry for entry in self.waiting if self.due.get(entry.memory_id, now) <= now][:limit]

    async def get(self, ids: Sequence[str], now: datetime) -> dict[str, Memory]:
        found = {i: self.contents[i] for i in ids if i in self.contents}
        return {i: Memory(i, text, None, None, None, {}, now, now) for i, text in found.items()}

    async def ids(self, after: str, limit: int) -> Sequence[str]:
        return [memory_id for memory_id in sorted(self.contents) if memory_id > after][:limit]

    async def existing(self, ids: Sequence[str]) -> Sequence[str]:
        return [memory_id for memory_id in ids if memory_id in self.contents]

    async def first_expiry(self) -> datetime | None:
        return None

    async def check(self) -> None:
        return None

    async def enqueued(self, ids: Sequence[str]) -> Sequence[str]:
        return [memory_id for memory_id in ids if memory_id in self.attempts]

    async def next_due(self) -> datetime | None:
        return min((self.due.get(e.memory_id, self.time) for e in self.waiting), default=None)

    async def backlog(self) -> int:
        return len(self.waiting)

    async def dead(self) -> int:
        return list(self.due.values()).count(NEVER)

    async def pending(self) -> int:
        return len(self.contents.keys() & self.attempts.keys())

    async def settled(self) -> int:
        return len(self.contents.keys() - self.attempts.keys())

    async def enqueue(self, ids: Sequence[str]) -> int:
        added = [memory_id for memory_id in ids if memory_id not in self.attempts]
        self.waiting += [OutboxEntry(memory_id, 1, 0) for memory_id in added]
        return len(added)

    async def enqueue_all(self) -> None:
        await self.enqueue(list(self.contents))

    async def finish(self, entries: Sequence[OutboxEntry]) -> None:
        self.waiting = [entry for entry in self.waiting if entry not in entries]
        for entry in entries:
            self.due.pop(entry.memory_id, None)

    async def postpone(self, entries: Sequence[OutboxEntry], due_at: datetime, *, counted: bool = True) -> None:
        self.waiting = [replace(e, attempts=e.attempts + (counted and e in entries)) for e in self.waiting]
        self.due |= {entry.memory_id: due_at for entry in entries}

    async def bury(self, entries: Sequence[OutboxEntry]) -> None:
        await self.postpone(entries, NEVER)

    async def revive(self) -> int:
        dead = {memory_id for memory_id, due in self.due.items() if due == NEVER}
        self.waiting = [replace(e, attempts=0) if e.memory_id in dead else e for e in self.waiting]
        self.due = {memory_id: due for memory_id, due in self.due.items() if memory_id not in dead}
        return len(dead)

    async def hasten(self) -> None:
        self.due = {memory_id: due for memory_id, due in self.due.items() if self.attempts[memory_id]}


class Index:
    """Vectors in a dict; `cursed` ids cannot be written, and nothing can while it is `down`."""

    def __init__(self, *ids: str, down: bool = False) -> None:
        self.ids = set(ids)
        self.parts: dict[str, int] = {}
        self.down = down
        self.cursed: set[str] = set()
        self.writes = 0

    async def replace(self, parts: Mapping[str, Vector]) -> None:
        self.writes += 1
        if self.down or parts.keys() & self.cursed:
            raise StoreUnavailableError("vectors", "InternalError")
        self.ids |= parts.keys()
        self.parts |= {memory_id: len(vectors) for memory_id, vectors in parts.items()}

    async def delete(self, ids: Sequence[str]) -> None:
        self._reach()
        self.ids -= set(ids)

    async def held(self, ids: Sequence[str]) -> Sequence[str]:
        self._reach()
        return [memory_id for memory_id in ids if memory_id in self.ids]

    async def listed(self, after: str, limit: int) -> tuple[Sequence[str], str]:
        found = [memory_id for memory_id in sorted(self.ids) if memory_id > after][:limit]
        return found, found[-1] if len(found) == limit else ""

    def _reach(self) -> None:
        if self.down:
            raise StoreUnavailableError("vectors", "down")


class Place:
    """Room for one generation of vectors, those of `Model`."""

    has_room = False

    async def read(self) -> Record:
        return Record(Entry("ones", FIRST))

    async def write(self, record: Record) -> None:
        raise AssertionError(record)

    async def open(self, collection: str) -> Vectors:
        raise AssertionError(collection)

    async def remove(self, collection: str) -> None:
        raise AssertionError(collection)


class Model:
    """Fails on poison, and on everything while it is down."""

    def __init__(self, *, down: bool = False) -> None:
        self.down = down
        self.texts = 0

    async def embed(self, texts: Sequence[str], purpose: Purpose, *, interactive: bool) -> Vector:
        """Return vectors of two ones."""
        if interactive or purpose is not Purpose.PASSAGE or not 1 <= len(texts) <= 64:
            raise AssertionError(f"{len(texts)} texts")
        if self.down:
            raise EmbedderUnavailableError("down")
        if "poison" in texts:
            raise ValueError("poison")
        self.texts += len(texts)
        return np.ones((len(texts), 2), dtype=np.float32)

    async def model(self) -> EmbeddingModel:
        return EmbeddingModel("ones", 0.5, 0.1)

    def of(self, model: str) -> Model:
        if model != "ones":
            raise AssertionError(model)
        return self


class Nodes:
    """The graph as the ids of its memories."""

    def __init__(self, *ids: str, down: bool = False) -> None:
        self.ids = set(ids)
        self.down = down
        self.error: StoreError = StoreUnavailableError("graph", "down")

    async def update(self, extractions: Sequence[Extraction], deleted: Sequence[str], max_nodes: int) -> None:
        await self.check()
        if max_nodes != 100:
            raise AssertionError(max_nodes)
        self.ids = (self.ids | {extraction.memory_id for extraction in extractions}) - set(deleted)

    async def held(self, ids: Sequence[str]) -> Sequence[str]:
        await self.check()
        return [memory_id for memory_id in ids if memory_id in self.ids]

    async def listed(self, after: str, limit: int) -> tuple[Sequence[str], str]:
        return await Index(*self.ids).listed(after, limit)

    async def size(self) -> GraphSize:
        await self.check()
        return GraphSize(0, len(self.ids), 0)

    async def check(self) -> None:
        if self.down:
            raise self.error


@contextlib.asynccontextmanager
async def _no_transaction(author: Author | None = None) -> AsyncIterator[Transaction]:
    del author
    yield cast("Transaction", None)


def nothing(memory: Memory) -> Extraction:
    """Return an extraction without entities."""
    return Extraction(memory.id)


def stores(memories: Memories, index: Index, nodes: Nodes | None = None) -> Stores:
    """Return the fakes as a tenant's stores."""
    records, full_text = cast("Records", memories), cast("FullText", None)
    vectors = Generations(Place(), Record(), cast("Vectors", index))
    graph = cast("Graph", nodes or Nodes())
    return Stores(
        _no_transaction, records, cast("History", None), cast("Erasures", None), full_text, memories, vectors, graph
    )


def indexer(
    memories: Memories, index: Index, model: Model, nodes: Nodes | None = None, extract: Extract = nothing
) -> Indexer:
    """Return an indexer of the fakes."""
    fakes = stores(memories, index, nodes)
    return Indexer(fakes, model, GraphIndex(fakes.graph, extract, lambda: 100), memories.now, "acme")


def attempts(memories: Memories, index: Index, model: Model, nodes: Nodes | None = None) -> Attempts:
    """Return attempts on the fakes."""
    fakes = stores(memories, index, nodes)
    graph = GraphIndex(fakes.graph, nothing, lambda: 100)
    writer = IndexWriter(fakes, VectorIndex(fakes.vectors, model), graph, memories.now)
    return Attempts(fakes, model, writer, memories.now, "acme")
