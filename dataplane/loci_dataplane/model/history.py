"""A memory's history: which versions it had, who made them and when."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum

from loci_dataplane.model.memory import Memory


class Event(StrEnum):
    """The change that made a version."""

    CREATED = "created"
    UPDATED = "updated"
    DELETED = "deleted"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Author:
    """The author of a change of memories, and its time.

    Args:
        key_id: public id of the API key; None for the service itself.
        at: time of the change, UTC.
    """

    key_id: str | None = None
    at: datetime = field(default_factory=lambda: datetime.now(UTC))


@dataclass(frozen=True, slots=True)
class Change:
    """One version of a memory.

    Args:
        memory_id: the memory.
        version: counts all versions of this id, deletions included.
        event: the change that made the version.
        author: who made it, and when.
        memory: the memory as it was from then on; None after a deletion or an erasure of this version.
    """

    memory_id: str
    version: int
    event: Event
    author: Author
    memory: Memory | None
