"""The ports: what the service needs of its stores, whichever they are. Every adapter passes the same tests."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from loci_dataplane.model.filter import Filter
from loci_dataplane.model.memory import Memory

Vector = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Task:
    """An outbox entry: this memory's indexes may differ from its row. `revision` tells repeated entries apart."""

    memory_id: str
    revision: int
    attempts: int


@dataclass(frozen=True, slots=True)
class Hit:
    """A memory that a retriever found, and its score there: higher is better."""

    memory_id: str
    score: float


class Records(Protocol):
    """The system of record, its full text and its outbox. A change and its outbox entry are one transaction."""

    async def add(self, memory: Memory, max_memories: int) -> None:
        """Store a memory durably; QuotaExceededError when there are `max_memories` already."""

    async def get(self, ids: Sequence[str], now: datetime) -> dict[str, Memory]:
        """Those of the memories that exist and have not expired, by id."""

    async def page(self, where: Filter, after: int, limit: int, now: datetime) -> Sequence[Memory]:
        """Memories in order of creation, those whose `order` is beyond `after`."""

    async def change(self, memory_id: str, now: datetime, changed: Callable[[Memory], Memory]) -> Memory | None:
        """Replace a memory by what the function makes of it; None when there is none."""

    async def delete(self, memory_id: str, now: datetime, allowed: Callable[[Memory], None]) -> bool:
        """Remove a memory unless the function raises; False when there is none."""

    async def sweep(self, now: datetime, limit: int) -> int:
        """Remove memories that have expired, at most `limit`; how many there were."""

    async def count(self) -> int:
        """How many memories there are, with those that have expired and were not yet swept away."""

    async def search(self, query: str, where: Filter, limit: int, now: datetime) -> Sequence[Hit]:
        """Full-text hits, best first."""

    async def matching(self, where: Filter, limit: int, now: datetime) -> Sequence[str]:
        """Ids of memories that a filter admits, at most `limit`."""

    async def neighbours(self, ids: Sequence[str]) -> dict[str, tuple[str, ...]]:
        """The memories right before and after each in its session."""

    async def tasks(self, limit: int, now: datetime) -> Sequence[Task]:
        """Outbox entries that are due, oldest first."""

    async def finish(self, tasks: Sequence[Task]) -> None:
        """Remove entries that were not renewed meanwhile."""

    async def settled(self) -> int:
        """How many memories no outbox entry is about: the indexes should hold them."""

    async def requeue(self) -> None:
        """Put every memory into the outbox."""

    async def postpone(self, tasks: Sequence[Task], due_at: datetime) -> None:
        """Try entries again later."""

    async def backlog(self) -> int:
        """How many outbox entries there are."""


class Vectors(Protocol):
    """The vector index."""

    async def upsert(self, ids: Sequence[str], vectors: Vector) -> None:
        """Set the vectors, of shape (len(ids), dimension)."""

    async def delete(self, ids: Sequence[str]) -> None:
        """Remove vectors; those that are not there are no error."""

    async def search(self, vector: Vector, limit: int, among: Sequence[str] | None) -> Sequence[Hit]:
        """The nearest by cosine similarity, best first; only `among` those ids when given."""

    async def count(self) -> int:
        """How many vectors there are."""


class Embedder(Protocol):
    """Text to unit vectors."""

    async def embed(self, texts: Sequence[str], *, interactive: bool) -> Vector:
        """Vectors of shape (len(texts), dimension); EmbedderUnavailableError when it cannot now."""
