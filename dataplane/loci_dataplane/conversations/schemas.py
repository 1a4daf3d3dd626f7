"""Messages, memories with what was extracted of them, and context blocks."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Final, Self

from pydantic import BaseModel, Field, model_validator

from loci_contract.inputs import Input
from loci_contract.times import Time
from loci_dataplane.graph.schemas import Extracted
from loci_dataplane.memories.batch import ItemError
from loci_dataplane.memories.schemas import Content, MemoryOutput, Metadata, Name
from loci_dataplane.search.schemas import Query, SearchInput

MESSAGES_MAX: Final = 256


class Role(StrEnum):
    """Role of the speaker. Messages of `system` and `tool` are not stored."""

    USER = "user"
    ASSISTANT = "assistant"
    SYSTEM = "system"
    TOOL = "tool"


class Message(Input):
    """One message of a conversation."""

    role: Role = Field(description="Name of the speaker.")
    content: Content = Field(description="Text of the message.")
    name: Name | None = Field(None, description="The speaker's name; facts in the first person are about this person.")
    created_at: Time | None = Field(None, description="When it was said; the current time by default.")


class ConversationInput(Input):
    """Messages to remember, in their order; fields beside them are those of each memory."""

    messages: list[Message] = Field(
        min_length=1, max_length=MESSAGES_MAX, description=f"1 to {MESSAGES_MAX} messages, the oldest first."
    )
    user_id: Name | None = Field(None, description="The user who speaks.")
    agent_id: Name | None = Field(None, description="The agent that answers.")
    session_id: Name | None = Field(None, description="The conversation.")
    metadata: Metadata = Field(default_factory=dict, description="Metadata of every memory.")
    expires_at: Time | None = Field(None, description="From when the memories are no longer returned.")

    @model_validator(mode="after")
    def _has_something_to_remember(self) -> Self:
        if all(message.role in {Role.SYSTEM, Role.TOOL} for message in self.messages):
            raise ValueError("messages must include one of the role user or assistant")
        return self


class RememberedMessage(MemoryOutput):
    """A memory, and what it contributes to the graph."""

    extracted: Extracted


class MessageError(ItemError):
    """The reason why the message at an index was not stored."""

    index: int


class ConversationOutput(BaseModel):
    """Result of storing messages."""

    memories: list[RememberedMessage]
    skipped: int = Field(description="Messages of the roles system and tool, which are not remembered.")
    rejected: list[MessageError] = Field(description="Messages that were not stored, such as for lack of quota.")


class ExplainedSearchInput(SearchInput):
    """A search whose results say why they were found."""

    explain: bool = Field(True, description="Include each retriever's rank and score.")


class ContextInput(Input):
    """Context for a prompt."""

    query: Query = Field(description="The question or the latest message, as in a search.")
    token_budget: int = Field(1_000, ge=32, le=32_000, description="Maximum length of the text, in estimated tokens.")
    filters: dict[str, Any] = Field(default_factory=dict, description="Only memories that this filter admits.")
    include_facts: bool = Field(True, description="Begin with facts that hold now.")


class LineKind(StrEnum):
    """Source of a line."""

    FACT = "fact"
    MEMORY = "memory"


class ContextLine(BaseModel):
    """A line of the text and the memory that it comes from."""

    kind: LineKind
    memory_id: str
    text: str


class ContextOutput(BaseModel):
    """A block of text, ready for a prompt."""

    text: str
    tokens: int = Field(description="The text's estimated tokens.")
    lines: list[ContextLine]
    omitted: int = Field(description="Lines that were found and did not fit the budget.")
    degraded: list[str]
    pending: int
