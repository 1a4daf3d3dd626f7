"""Memories as rows of the table `memories`."""

from __future__ import annotations

import sqlite3
from datetime import datetime
from typing import Any, Final

import orjson

from loci_dataplane.model.memory import Memory, timestamp

COLUMNS: Final = (
    "id",
    "content",
    "user_id",
    "agent_id",
    "session_id",
    "metadata",
    "created_at",
    "updated_at",
    "expires_at",
    "version",
)
LIVE: Final = "(expires_at IS NULL OR expires_at > ?)"
"""Condition on a memory that has not expired; its parameter is the current time."""


def values(memory: Memory) -> list[Any]:
    """Return the memory's values, in the order of `COLUMNS`."""
    return [
        memory.id,
        memory.content,
        memory.user_id,
        memory.agent_id,
        memory.session_id,
        orjson.dumps(memory.metadata).decode(),
        timestamp(memory.created_at),
        timestamp(memory.updated_at),
        timestamp(memory.expires_at) if memory.expires_at else None,
        memory.version,
    ]


def memory_of(row: sqlite3.Row) -> Memory:
    """Return the memory of a row."""
    return Memory(
        id=row["id"],
        content=row["content"],
        user_id=row["user_id"],
        agent_id=row["agent_id"],
        session_id=row["session_id"],
        metadata=orjson.loads(row["metadata"]),
        created_at=datetime.fromisoformat(row["created_at"]),
        updated_at=datetime.fromisoformat(row["updated_at"]),
        expires_at=datetime.fromisoformat(row["expires_at"]) if row["expires_at"] else None,
        version=row["version"],
        order=row["position"],
    )
