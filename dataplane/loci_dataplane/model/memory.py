"""Domain model of a memory, independent of storage and API."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ulid import ULID


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


def timestamp(moment: datetime) -> str:
    """A moment in UTC as text that sorts by time: `2026-01-31T12:00:00.000000Z`."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"
