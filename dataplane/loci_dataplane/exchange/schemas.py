"""The lines of an export and of the response to an import."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final, Self

from pydantic import BaseModel, Field, model_validator

from loci_contract.times import Time
from loci_dataplane.memories.schemas import Content, Id, MemoryOutput, Metadata, Name
from loci_dataplane.model.history import Author, Change, Event
from loci_dataplane.model.memory import Memory
from loci_dataplane.stores.history_ports import HISTORY_VERSIONS

FORMAT: Final = 1


class State(BaseModel):
    """A memory as it was in one version."""

    content: Content
    user_id: Name | None = None
    agent_id: Name | None = None
    session_id: Name | None = None
    metadata: Metadata = Field(default_factory=dict)
    created_at: Time
    updated_at: Time
    expires_at: Time | None = None


class Version(BaseModel):
    """One version of a memory."""

    version: int = Field(ge=1, lt=2**53)
    event: Event
    at: Time
    key_id: str | None = Field(None, max_length=128)
    memory: State | None = None


class Line(BaseModel):
    """One memory with its history, the oldest version first; that of a deleted one ends without a memory."""

    id: Id
    changes: list[Version] = Field(min_length=1, max_length=HISTORY_VERSIONS)

    @model_validator(mode="after")
    def _ascend(self) -> Self:
        versions = [change.version for change in self.changes]
        if versions != sorted(set(versions)):
            raise ValueError("versions must ascend")
        if self.changes[-1].memory is None and self.changes[-1].event not in {Event.DELETED, Event.EXPIRED}:
            raise ValueError("the last change must have a memory, unless it is a deletion")
        return self

    def history(self) -> list[Change]:
        """The versions."""
        return [
            Change(self.id, c.version, c.event, Author(c.key_id, c.at), _memory(self.id, c.version, c.memory))
            for c in self.changes
        ]


class Progress(BaseModel):
    """Progress of an import."""

    lines: int = Field(description="Lines processed so far.")
    stored: int = Field(description="Memories and histories stored.")
    present: int = Field(description="Ids that existed already and were left unchanged.")
    refused: int = Field(description="Lines that were refused; each has a line of its own in the response.")
    done: bool = Field(False, description="Whether this is the last line.")


def line_of(changes: list[Change]) -> dict[str, Any]:
    """The line of a memory's versions."""
    return {"id": changes[0].memory_id, "changes": [_version(change) for change in changes]}


def _version(change: Change) -> dict[str, Any]:
    memory = change.memory and MemoryOutput.of(change.memory).model_dump(mode="json", exclude={"id"})
    at, author = _text(change.author.at), change.author
    return {"version": change.version, "event": change.event, "at": at, "key_id": author.key_id, "memory": memory}


def _text(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def _memory(memory_id: str, version: int, state: State | None) -> Memory | None:
    return Memory(id=memory_id, version=version, **state.model_dump()) if state else None
