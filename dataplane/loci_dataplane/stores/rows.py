"""Reading a memory from a row: the SQL stores name their columns alike and keep times and metadata as text."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Protocol

import orjson

from loci_dataplane.model.memory import Memory


class Row(Protocol):
    """A row whose values are read by the names of their columns."""

    def __getitem__(self, column: str, /) -> Any: ...


def due_time(text: str | None) -> datetime | None:
    """Return the time of a column that is empty for `at once`."""
    if text is None:
        return None
    return datetime.fromisoformat(text) if text else datetime.min.replace(tzinfo=UTC)


def memory_of(row: Row, id_column: str = "id") -> Memory:
    """Return the memory of a row; `order` is 0 where the row has no position."""
    return Memory(
        id=row[id_column],
        content=row["content"],
        user_id=row["user_id"],
        agent_id=row["agent_id"],
        session_id=row["session_id"],
        metadata=orjson.loads(row["metadata"]),
        created_at=datetime.fromisoformat(row["created_at"]),
        updated_at=datetime.fromisoformat(row["updated_at"]),
        expires_at=datetime.fromisoformat(row["expires_at"]) if row["expires_at"] else None,
        version=row["version"],
        order=row["position"] or 0,
    )
