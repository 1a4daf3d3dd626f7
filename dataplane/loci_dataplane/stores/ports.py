"""The ports: what the service needs of its stores. Every adapter passes the contract tests in `tests/stores`.

`Records`, `FullText` and `Outbox` are three views of one system of record. All changes of memories go through a
`Transaction`: an adapter updates the row, its full text and its outbox entry together, so that a caller cannot forget
one of them. The other ports' methods are each atomic on their own. A transaction holds whatever the store needs for it
(SQLite's single writer, a PostgreSQL connection), so do no other I/O inside one.

Any method may raise `StorageFullError` or `StoreUnavailableError`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from loci_dataplane.model.filter import Filter
from loci_dataplane.model.graph import (
    Edge,
    EntityFilter,
    EntityRef,
    Extraction,
    FactFilter,
    GraphSize,
    HeldFact,
    KnownEntity,
)
from loci_dataplane.model.history import Author, Change
from loci_dataplane.model.memory import Memory
from loci_dataplane.model.reply import Attempt, Reply
from loci_dataplane.stores.cache import ProcessCache, SearchCache
from loci_dataplane.stores.generations import Generations
from loci_dataplane.stores.history_ports import Erasures, History
from loci_dataplane.stores.outbox_ports import Index, Outbox
from loci_dataplane.stores.vectors_port import Hit, Vector, Vectors

__all__ = (
    "Begin",
    "Frequencies",
    "FullText",
    "Graph",
    "Hit",
    "Index",
    "Outbox",
    "Records",
    "Stores",
    "Transaction",
    "Vector",
    "Vectors",
)


@dataclass(frozen=True, slots=True)
class Frequencies:
    """How common terms are.

    Args:
        documents: number of memories in the index.
        by_term: for each term that occurs, the number of memories that contain it.
    """

    documents: int
    by_term: Mapping[str, int] = field(default_factory=dict)


class Transaction(Protocol):
    """Changes of memories that take effect together, when the block is left; none of them if it raises.

    Each change also adds a version to the memory's history.
    """

    async def get(self, memory_id: str, now: datetime) -> Memory | None:
        """Return a memory that has not expired, locked against other transactions; None if there is none."""

    async def add(self, memory: Memory, max_memories: int) -> None:
        """Store a new memory; raise QuotaExceededError, and change nothing, if there are `max_memories` already.

        Its id must be free, and its version greater than `last_version` of the id.
        """

    async def replace(self, memory: Memory) -> None:
        """Overwrite the memory with this id."""

    async def delete(self, ids: Sequence[str]) -> int:
        """Delete memories; return how many of them existed."""

    async def delete_expired(self, now: datetime, limit: int) -> int:
        """Delete at most `limit` memories that have expired; return how many."""

    async def last_version(self, memory_id: str) -> int:
        """Return the last version that the history has of an id; 0 if it was never used."""

    async def restore(self, changes: Sequence[Change], max_memories: int) -> None:
        """Store the history of an id that was never used, and the memory of the last version if it has one.

        Raises QuotaExceededError, and changes nothing, if there are `max_memories` already.
        """

    async def reply(self, key: str, now: datetime) -> tuple[str, Reply] | None:
        """Return the fingerprint and the reply that were kept for an attempt's key and have not expired."""

    async def keep_reply(self, attempt: Attempt, reply: Reply, now: datetime, expires_at: datetime) -> None:
        """Keep the reply to an attempt until `expires_at`, and remove some that have expired."""


class Records(Protocol):
    """The memories' rows, as last committed."""

    async def get(self, ids: Sequence[str], now: datetime) -> dict[str, Memory]:
        """Return those of the memories that exist and have not expired, by id."""

    async def page(
        self, where: Filter, after: int | None, limit: int, now: datetime, *, descending: bool = False
    ) -> Sequence[Memory]:
        """Return memories by their `order`, from the first beyond `after` (None: from the start)."""

    async def matching(self, where: Filter, limit: int, now: datetime) -> Sequence[str]:
        """Return the ids of at most `limit` memories that the filter matches."""

    async def neighbours(self, ids: Sequence[str]) -> dict[str, tuple[str, ...]]:
        """Return the ids of the memories directly before and after each memory in its session."""

    async def count(self) -> int:
        """Return the number of memories, including expired ones that are not deleted yet."""

    async def ids(self, after: str, limit: int) -> Sequence[str]:
        """Return ids of memories, live or expired, in their order, from the first beyond `after`."""

    async def existing(self, ids: Sequence[str]) -> Sequence[str]:
        """Return those of the ids that a memory has, live or expired."""

    async def first_expiry(self) -> datetime | None:
        """Return when the next memory expires or the first one did; None if none ever does."""

    async def generation(self) -> str:
        """Return a token of what searches may find: another one after each commit that may change that."""

    async def check(self) -> None:
        """Raise StoreError unless the store can be read and, if its last write failed, written again."""


class FullText(Protocol):
    """The full-text index; its terms are those of `text.analysis.terms`."""

    async def search(self, terms: Sequence[str], where: Filter, limit: int, now: datetime) -> Sequence[Hit]:
        """Return memories that contain at least one of the terms, scored by BM25, best first."""

    async def frequencies(self, terms: Sequence[str]) -> Frequencies:
        """Return how many memories contain each term."""


class Graph(Index, Protocol):
    """Entities, the memories that mention them and the facts that memories state.

    (:Memory)-[:MENTIONS]->(:Entity)-[:RELATED]->(:Entity), and (:Memory)-[:NEXT]->(:Memory) within a session. A fact
    is a RELATED edge; its `valid_to` follows from the other facts of its subject and slot (`model.timeline`).
    """

    async def update(self, extractions: Sequence[Extraction], deleted: Sequence[str], max_nodes: int) -> None:
        """Replace what some memories contribute, and remove what deleted ones did; repeating it changes nothing.

        An extraction that would take the graph beyond `max_nodes` nodes is left out as a whole and counted.
        """

    async def entities(self, where: EntityFilter, limit: int) -> Sequence[KnownEntity]:
        """Return entities, the most mentioned first."""

    async def named(self, keys: Sequence[str], scope: str | None) -> Sequence[KnownEntity]:
        """Return the entities with one of these keys, of one scope or of all, the most mentioned first."""

    async def facts(self, where: FactFilter, limit: int) -> Sequence[HeldFact]:
        """Return facts by subject, predicate and time."""

    async def edges(self, entities: Sequence[EntityRef], at: datetime, limit: int) -> Sequence[Edge]:
        """Return the relations of some entities: facts that hold at a moment first, then the most frequent."""

    async def mentioning(
        self, weights: Mapping[EntityRef, float], limit: int, among: Sequence[str] | None = None
    ) -> Sequence[Hit]:
        """Return memories that mention any of the entities, by the sum of their weights, then the newest first.

        Args:
            weights: of the entities.
            limit: maximum number of memories.
            among: consider only these memories.
        """

    async def adjacent(self, ids: Sequence[str]) -> dict[str, tuple[str, ...]]:
        """Return the ids of the memories directly before and after each memory in its session."""

    async def size(self) -> GraphSize:
        """Return how large the graph is."""

    async def check(self) -> None:
        """Raise StoreError unless the graph can be read."""


class Begin(Protocol):
    """Begins a transaction."""

    def __call__(self, author: Author = ...) -> AbstractAsyncContextManager[Transaction]:
        """Return a transaction whose changes are this author's; by default the service's own, now."""


@dataclass(frozen=True)
class Stores:
    """One tenant's stores.

    Args:
        transaction: begins a transaction; use it as `async with stores.transaction(author) as transaction`.
    """

    transaction: Begin
    records: Records
    history: History
    erasures: Erasures
    full_text: FullText
    outbox: Outbox
    vectors: Generations
    graph: Graph
    cache: SearchCache = field(default_factory=ProcessCache)
