"""Memories as they are sent and received."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Self

import orjson
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from loci_dataplane.model.memory import Memory

CONTENT_MAX: Final = 32_768
METADATA_MAX_BYTES: Final = 16_384
METADATA_MAX_DEPTH: Final = 32
_NUL: Final = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
"""An escaped NUL in JSON: stores cut or refuse texts that hold one."""


def _is_not_blank(text: str) -> str:
    if not text.strip():
        raise ValueError("must not be blank")
    return text


def _has_no_nul(text: str) -> str:
    if "\x00" in text:
        raise ValueError("must not contain NUL characters")
    return text


def _is_plain_json(metadata: dict[str, Any]) -> dict[str, Any]:
    """What every store gives back as it came."""
    try:
        encoded = orjson.dumps(metadata)
    except orjson.JSONEncodeError:
        encoded = b""
    if not encoded or _NUL.search(encoded) or orjson.loads(encoded) != metadata:
        raise ValueError("must be plain JSON: valid Unicode without NUL, finite numbers, integers of at most 64 bits")
    if len(encoded) > METADATA_MAX_BYTES:
        raise ValueError(f"must be at most {METADATA_MAX_BYTES} bytes of JSON")
    if _depth(metadata) > METADATA_MAX_DEPTH:
        raise ValueError(f"may be nested at most {METADATA_MAX_DEPTH} deep")
    return metadata


def _depth(value: object) -> int:
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + max(map(_depth, parts), default=0)


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("must lie in the years 1 to 9999 in UTC") from None


Content = Annotated[
    str, StringConstraints(max_length=CONTENT_MAX), AfterValidator(_is_not_blank), AfterValidator(_has_no_nul)
]
Name = Annotated[str, StringConstraints(min_length=1, max_length=256), AfterValidator(_has_no_nul)]
Metadata = Annotated[dict[str, Any], AfterValidator(_is_plain_json)]
Moment = Annotated[AwareDatetime, AfterValidator(_in_utc)]


class Body(BaseModel):
    """A request's body: a field that we do not know is an error, so that a misspelt one is not lost."""

    model_config = ConfigDict(extra="forbid")


class MemoryInput(Body):
    """A memory to store, or to put in another's place."""

    content: Content = Field(description=f"What to remember: 1 to {CONTENT_MAX} characters.")
    user_id: Name | None = Field(None, description="Whom it is about.")
    agent_id: Name | None = Field(None, description="Which agent learned it.")
    session_id: Name | None = Field(None, description="The conversation it belongs to; its neighbours help search.")
    metadata: Metadata = Field(default_factory=dict, description="Any JSON object, to filter by.")
    created_at: Moment | None = Field(None, description="When it was said; now by default.")
    expires_at: Moment | None = Field(None, description="When to stop returning it; never by default.")


class MemoryPatch(Body):
    """What to change of a memory; fields left out stay, null clears one that may be empty."""

    content: Content = Field("", description="Not null: a memory always has content.")
    user_id: Name | None = None
    agent_id: Name | None = None
    session_id: Name | None = None
    metadata: Metadata = Field(default_factory=dict, description="Takes the place of the whole object.")
    expires_at: Moment | None = None


class MemoryOutput(BaseModel):
    """A memory."""

    id: str
    content: str
    user_id: str | None = None
    agent_id: str | None = None
    session_id: str | None = None
    metadata: dict[str, Any]
    created_at: datetime
    updated_at: datetime
    expires_at: datetime | None = None

    @classmethod
    def of(cls, memory: Memory) -> Self:
        """The output for a stored memory."""
        return cls.model_validate(memory, from_attributes=True)


class MemoryPage(BaseModel):
    """Memories in order of creation, and where to go on."""

    memories: list[MemoryOutput]
    next_cursor: str | None = Field(None, description="Pass it as `cursor` for the next page; null at the end.")
