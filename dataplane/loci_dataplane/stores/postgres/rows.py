"""Memories as rows of the table `memory`."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import Any, Final

import orjson

from loci_dataplane.model.memory import Memory, timestamp
from loci_dataplane.model.values import folded
from loci_dataplane.text.analysis import terms

COLUMNS: Final = {
    "id": "text",
    "content": "text",
    "user_id": "text",
    "agent_id": "text",
    "session_id": "text",
    "metadata": "json",
    "created_at": "text",
    "updated_at": "text",
    "expires_at": "text",
    "version": "bigint",
    "plain": "jsonb",
    "folded": "jsonb",
    "terms": "text::tsvector",
    "words": "integer",
}
"""The columns that a change writes, with the types of their parameters."""
READ: Final = (
    "id, content, user_id, agent_id, session_id, metadata, created_at, updated_at, expires_at, version, position"
)
FOLDED: Final = ("user_id", "agent_id", "session_id")
_POSITIONS_MAX: Final = 255
"""Of one term in a `tsvector`."""


def values(memory: Memory) -> list[Any]:
    """Return the memory's values, in the order of `COLUMNS`."""
    found = terms(memory.content)
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
        to_json(memory.metadata),
        _folded_json(memory),
        _tsvector(found),
        len(found),
    ]


def to_json(value: object) -> str:
    """JSON in which equal numbers are written alike: PostgreSQL compares them as decimals, Python as binary floats.

    A whole float is written as the integer that it is; any other is less than 2**53, where both readings agree.
    """
    return json.dumps(_plain(value), ensure_ascii=False)


def fold_texts(value: object) -> object:
    """The value with each text folded, as `contains` compares them; keys stay."""
    match value:
        case str():
            return folded(value)
        case dict():
            return {key: fold_texts(part) for key, part in value.items()}
        case list():
            return [fold_texts(part) for part in value]
        case _:
            return value


def lexeme(term: str) -> str:
    """A term as it is written in a `tsvector` or `tsquery`."""
    doubled = term.replace("\\", "\\\\").replace("'", "''")
    return f"'{doubled}'"


def _folded_json(memory: Memory) -> str:
    columns = {name: getattr(memory, name) for name in FOLDED}
    return to_json(fold_texts({**columns, "metadata": memory.metadata}))


def _plain(value: object) -> object:
    match value:
        case float() if value.is_integer():
            return int(value)
        case dict():
            return {key: _plain(part) for key, part in value.items()}
        case list():
            return [_plain(part) for part in value]
        case _:
            return value


def _tsvector(found: list[str]) -> str:
    """Each term with as many positions as it occurs; where it does is not needed."""
    counts: defaultdict[str, int] = defaultdict(int)
    for term in found:
        counts[term] += 1
    positions = {term: ",".join(map(str, range(1, min(n, _POSITIONS_MAX) + 1))) for term, n in counts.items()}
    return " ".join(f"{lexeme(term)}:{places}" for term, places in positions.items())
