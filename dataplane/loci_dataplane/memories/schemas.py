"""Memories as they are sent and received."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Final, Self

import orjson
from pydantic import AfterValidator, AliasChoices, BaseModel, Field, StringConstraints, ValidationInfo, field_validator

from loci_contract.inputs import Input, Patch
from loci_contract.times import Time
from loci_dataplane.model import values
from loci_dataplane.model.filter import Condition
from loci_dataplane.model.history import Change, Event
from loci_dataplane.model.memory import ID_MAX, ID_RULE, Memory, is_id

CONTENT_MAX: Final = 32_768
METADATA_MAX_BYTES: Final = 16_384
_MESSAGES_MAX: Final = 256


def _check_text(text: str) -> str:
    if (problem := values.text_problem(text)) is not None:
        raise ValueError(problem)
    if values.is_blank(text):
        raise ValueError("must not be blank")
    return text


def _check_metadata(metadata: dict[str, Any]) -> dict[str, Any]:
    if (problem := values.metadata_problem(metadata)) is not None:
        raise ValueError(problem)
    if len(orjson.dumps(metadata)) > METADATA_MAX_BYTES:
        raise ValueError(f"must be at most {METADATA_MAX_BYTES} bytes of JSON")
    return metadata


def _check_id(memory_id: str) -> str:
    if not is_id(memory_id):
        raise ValueError(f"must be an id: {ID_RULE}")
    return memory_id


Content = Annotated[str, StringConstraints(max_length=CONTENT_MAX), AfterValidator(_check_text)]
Name = Annotated[str, StringConstraints(max_length=256), AfterValidator(_check_text)]
Metadata = Annotated[dict[str, Any], AfterValidator(_check_metadata)]
Id = Annotated[str, StringConstraints(max_length=ID_MAX), AfterValidator(_check_id)]
Role = Annotated[str, StringConstraints(max_length=64), AfterValidator(_check_text)]
SESSION: Final = AliasChoices("session_id", "run_id")


class MessageInput(Input):
    """One message of a conversation."""

    role: Role = Field(description="Role of the speaker, such as `user` or `assistant`.")
    content: Content = Field(description="Text of the message.")


def _text_of(messages: list[MessageInput]) -> str:
    """The text that messages make; anything for invalid ones, which are refused themselves."""
    if len(messages) == 1:
        return messages[0].content
    return "\n".join(f"{message.role}: {message.content}" for message in messages) or "-"


class ReplacementInput(Input):
    """A memory to replace another with. An optional field that is null is as if left out."""

    messages: list[MessageInput] = Field(
        default_factory=list,
        max_length=_MESSAGES_MAX,
        exclude=True,
        description="Instead of `content`: messages that are remembered as one text, each as `role: content` in a line "
        "of its own, or one message's content alone.",
    )
    content: Content = Field(
        "", validate_default=True, description=f"The text to remember: 1 to {CONTENT_MAX} characters."
    )
    user_id: Name | None = Field(None, description="The user whom it is about.")
    agent_id: Name | None = Field(None, description="The agent that learned it.")
    session_id: Name | None = Field(
        None,
        validation_alias=SESSION,
        description="The conversation it belongs to, also `run_id`; its neighbours help search.",
    )
    metadata: Metadata = Field(default_factory=dict, description="Any JSON object; filters select by it.")
    created_at: Time | None = Field(None, description="When it was said; the current time by default.")
    expires_at: Time | None = Field(None, description="From when it is no longer returned; never by default.")

    @field_validator("content", mode="before")
    @classmethod
    def _join(cls, content: Any, read: ValidationInfo) -> Any:
        messages = read.data.get("messages")
        if content != "":
            if messages:
                raise ValueError("must be left out when messages are sent")
            return content
        if messages == []:
            raise ValueError("must not be blank, unless messages are sent instead")
        return _text_of(messages or [])


class MemoryInput(ReplacementInput):
    """A memory to store. An optional field that is null is as if left out."""

    id: Id | None = Field(None, description=f"Id to use: {ID_RULE} By default the service makes one.")


class MemoryPatch(Patch):
    """Changes to a memory: a field that is left out stays, null clears one that may be empty."""

    content: Content = Field("", description="The text; not null, since a memory always has content.")
    user_id: Name | None = Field(None, description="The user whom it is about; null clears it.")
    agent_id: Name | None = Field(None, description="The agent that learned it; null clears it.")
    session_id: Name | None = Field(
        None, validation_alias=SESSION, description="The conversation it belongs to, also `run_id`; null clears it."
    )
    metadata: Metadata | None = Field(None, description="Replaces the whole object; null clears it.")
    expires_at: Time | None = Field(None, description="From when it is no longer returned; null for never.")

    def changes(self) -> dict[str, Any]:
        """The new values, by the names of a memory's attributes."""
        changes = self.model_dump(exclude_unset=True)
        return {**changes, "metadata": changes["metadata"] or {}} if "metadata" in changes else changes


class Order(StrEnum):
    """The order of a list: by when the memories were stored, oldest or newest first."""

    ASC = "asc"
    DESC = "desc"


class ScopeQuery(Input):
    """Whose memories: those to which all of the ids apply. An empty id is an error."""

    user_id: Name | None = Field(None, description="Only memories about this user.")
    agent_id: Name | None = Field(None, description="Only memories of this agent.")
    session_id: Name | None = Field(
        None, validation_alias=SESSION, description="Only memories of this conversation; also `run_id`."
    )

    def conditions(self) -> tuple[Condition, ...]:
        """The ids as parts of a filter."""
        ids = {"user_id": self.user_id, "agent_id": self.agent_id, "session_id": self.session_id}
        return tuple(Condition(name, "eq", value) for name, value in ids.items() if value is not None)


class PageQuery(ScopeQuery):
    """Which memories to list. An empty `limit`, `order` or `cursor` is as if left out; an empty id is an error."""

    limit: int = Field(50, ge=1, le=200, description="Maximum number of memories in a page.")
    order: Order = Field(Order.ASC, description="By when they were stored: oldest (`asc`) or newest (`desc`) first.")
    cursor: str | None = Field(None, max_length=64, description="`next_cursor` of the previous page.")

    @classmethod
    def _is_absent(cls, field: str | None, value: object) -> bool:
        # An id that is empty by mistake must not widen the list to every user.
        return (value == "" and field in {"limit", "order", "cursor"}) or super()._is_absent(field, value)


class DeletionInput(Input):
    """Which memories to delete, beside those that the query parameters name."""

    filters: dict[str, Any] = Field(default_factory=dict, description="A filter, as a search takes it.")


class DeletionOutput(BaseModel):
    """Result of a deletion."""

    deleted: int = Field(description="Number of memories that were deleted.")


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
        """The representation of a stored memory."""
        return cls.model_validate(memory, from_attributes=True)


class MemoryPage(BaseModel):
    """A page of memories."""

    memories: list[MemoryOutput]
    next_cursor: str | None = Field(None, description="Send it as `cursor` for the next page; null on the last one.")


class ChangeOutput(BaseModel):
    """One version of a memory."""

    version: int = Field(description="Counts the versions of this id.")
    event: Event = Field(description="The change that made the version.")
    at: datetime
    key_id: str | None = Field(description="Public id of the API key that made the change; null for the service.")
    memory: MemoryOutput | None = Field(description="The memory from then on; null after a deletion or an erasure.")

    @classmethod
    def of(cls, change: Change) -> Self:
        """The representation of a version."""
        return cls(
            version=change.version,
            event=change.event,
            at=change.author.at,
            key_id=change.author.key_id,
            memory=MemoryOutput.of(change.memory) if change.memory else None,
        )


class HistoryOutput(BaseModel):
    """A memory's last versions, oldest first."""

    changes: list[ChangeOutput]
