"""Domain model of a memory, independent of storage and API."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from ulid import ULID

ID_MAX: Final = 128
ID_RULE: Final = (
    f"1 to {ID_MAX} letters, digits, `-`, `_`, `.` or `:`, of which the first is a letter or digit; "
    "`mem_` begins ids that the service made."
)
_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]*")
_MADE: Final = re.compile(r"mem_[0-7][0-9A-HJKMNP-TV-Z]{25}")
_PATHS: Final = frozenset({"search", "batch"})
"""Paths beside those of memories."""


@dataclass(frozen=True, slots=True)
class Memory:
    """One memory; `version` counts its changes, `order` is its place among all of the tenant's."""

    id: str
    content: str
    user_id: str | None
    agent_id: str | None
    session_id: str | None
    metadata: dict[str, Any]
    created_at: datetime
    updated_at: datetime
    expires_at: datetime | None = None
    version: int = 1
    order: int = 0

    @property
    def etag(self) -> str:
        """Changes whenever the memory does."""
        return f'"{self.version}"'


def new_id() -> str:
    """A new memory's id, sortable by time."""
    return f"mem_{ULID()}"


def is_id(text: str) -> bool:
    """Whether a memory may have this id: one that the service could have made, or a caller's own."""
    if text.startswith("mem_"):
        return bool(_MADE.fullmatch(text))
    return len(text) <= ID_MAX and bool(_ID.fullmatch(text)) and text not in _PATHS


def timestamp(moment: datetime) -> str:
    """A moment in UTC as text that sorts by time: `2026-01-31T12:00:00.000000Z`."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"
