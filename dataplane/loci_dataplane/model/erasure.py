"""The removal of content from all stores, and what is known of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ulid import ULID


@dataclass(frozen=True, slots=True)
class Erasure:
    """One request to erase.

    Args:
        id: its name.
        requested_at: when it was asked for, UTC.
        key_id: public id of the API key that asked.
        request: the filter as it was sent; None once the erasure is complete.
        memory_ids: memories erased so far; empty once the erasure is complete.
        removed: number of removed rows by kind, so far.
        receipt: the sealed receipt; None until the erasure is complete.
    """

    id: str
    requested_at: datetime
    key_id: str | None
    request: Mapping[str, Any] | None
    memory_ids: tuple[str, ...] = ()
    removed: Mapping[str, int] = field(default_factory=dict)
    receipt: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Batch:
    """The result of one transaction of an erasure.

    Args:
        memory_ids: memories whose rows or versions it removed; empty when nothing matched.
        contents: some of the removed contents, to look for afterwards; never stored.
    """

    memory_ids: tuple[str, ...]
    contents: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Purge:
    """How a store got rid of what deletion leaves in its files.

    Args:
        method: what was done.
        found: fragments of erased data that its files still hold; None where they cannot be read.
        limits: what may be left and until when; None for nothing.
    """

    method: str
    found: int | None
    limits: str | None = None


def new_erasure_id() -> str:
    """A new erasure's id."""
    return f"ers_{ULID()}"
