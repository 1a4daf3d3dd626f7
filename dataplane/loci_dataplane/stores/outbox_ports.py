"""The ports that keep the indexes in line with the rows, beside those in `ports`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

DEAD: Final = "dead"
"""Due time of a dead letter: as text it sorts after every time."""


@dataclass(frozen=True, slots=True)
class OutboxEntry:
    """A memory whose vectors or graph may differ from its row.

    Args:
        revision: grows with each change of the memory, so that an entry renewed meanwhile is not taken for finished.
        attempts: failed attempts since the last change, outages of a store not counted.
    """

    memory_id: str
    revision: int
    attempts: int


class Outbox(Protocol):
    """Memories whose vectors and graph are to be brought up to date. An entry stays until it is finished.

    A dead letter is an entry that failed too often. It is not due until a change renews it or `revive` does.
    """

    async def claim(self, limit: int, now: datetime, lease: timedelta) -> Sequence[OutboxEntry]:
        """Return entries that are due, oldest first; no other process gets them for the length of the lease."""

    async def finish(self, entries: Sequence[OutboxEntry]) -> None:
        """Remove entries, except those renewed by a later change."""

    async def postpone(self, entries: Sequence[OutboxEntry], due_at: datetime, *, counted: bool = True) -> None:
        """Make the entries due at this time, and count a failed attempt unless it was an outage."""

    async def bury(self, entries: Sequence[OutboxEntry]) -> None:
        """Count a failed attempt, and make dead letters of the entries."""

    async def revive(self) -> int:
        """Make all dead letters due, as if they had never failed; return how many there were."""

    async def hasten(self) -> None:
        """Make entries due that were postponed without a failed attempt: the outage is over."""

    async def enqueue(self, ids: Sequence[str]) -> int:
        """Add an entry for each of the ids that has none; return how many were added."""

    async def enqueue_all(self) -> None:
        """Add an entry for every memory that has none."""

    async def enqueued(self, ids: Sequence[str]) -> Sequence[str]:
        """Return those of the ids that have an entry, dead or not."""

    async def next_due(self) -> datetime | None:
        """Return when the next entry is due and free, past or future; None without entries but dead letters."""

    async def backlog(self) -> int:
        """Return the number of entries, dead letters not counted."""

    async def dead(self) -> int:
        """Return the number of dead letters."""

    async def pending(self) -> int:
        """Return the number of memories that have an entry, dead or not: a search by vector may miss them."""

    async def settled(self) -> int:
        """Return the number of memories that have no entry: all of them are indexed."""


class Index(Protocol):
    """The part of an index that a reconciler reads: which memories it has something of."""

    async def held(self, ids: Sequence[str]) -> Sequence[str]:
        """Return those of the memories that are in the index."""

    async def listed(self, after: str, limit: int) -> tuple[Sequence[str], str]:
        """Return ids of about `limit` memories in the index, from a cursor on, and the next cursor.

        The cursor is opaque and empty at both ends. Changes meanwhile may make it skip some ids.
        """
