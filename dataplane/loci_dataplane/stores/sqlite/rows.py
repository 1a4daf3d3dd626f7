"""Memories as rows of the table `memories`."""

from __future__ import annotations

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
