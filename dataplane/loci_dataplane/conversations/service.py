"""Messages into memories. Each message is one memory, so that a search returns what was said and by whom."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

from loci_dataplane.conversations.schemas import (
    ConversationInput,
    ConversationOutput,
    Message,
    MessageError,
    RememberedMessage,
    Role,
)
from loci_dataplane.graph.schemas import Extracted
from loci_dataplane.memories.batch import ItemError
from loci_dataplane.memories.callers import Caller
from loci_dataplane.memories.schemas import MemoryInput, MemoryOutput
from loci_dataplane.memories.service import Memories
from loci_dataplane.model.graph import Extraction
from loci_dataplane.model.memory import Memory
from loci_dataplane.model.reply import Reply
from loci_runtime.errors import HttpError

_REMEMBERED: Final = frozenset({Role.USER, Role.ASSISTANT})


class Conversations:
    """Remembers conversations.

    Args:
        memories: stores the memories.
        extract: what a memory contributes to the graph.
    """

    def __init__(self, memories: Memories, extract: Callable[[Memory], Extraction]) -> None:
        self._memories = memories
        self._extract = extract

    async def remember(self, body: ConversationInput, caller: Caller) -> Reply:
        """Store a conversation's messages in one transaction; raise the first refusal if none is stored."""
        kept = [(index, message) for index, message in enumerate(body.messages) if message.role in _REMEMBERED]
        skipped = len(body.messages) - len(kept)

        async def render(results: Sequence[Memory | HttpError]) -> Reply:
            return await self._reply([index for index, _ in kept], results, skipped)

        return await self._memories.add_all([_memory_of(message, body) for _, message in kept], caller, render)

    async def _reply(self, indexes: Sequence[int], results: Sequence[Memory | HttpError], skipped: int) -> Reply:
        stored = [result for result in results if isinstance(result, Memory)]
        refused = [(i, result) for i, result in zip(indexes, results, strict=True) if isinstance(result, HttpError)]
        if not stored:
            raise refused[0][1]
        extracted = await asyncio.to_thread(lambda: [self._extract(memory) for memory in stored])
        output = ConversationOutput(
            memories=_remembered(stored, extracted),
            skipped=skipped,
            rejected=[_rejected(index, error) for index, error in refused],
        )
        return Reply(201, output.model_dump_json().encode(), memory_ids=tuple(memory.id for memory in stored))


def _memory_of(message: Message, body: ConversationInput) -> MemoryInput:
    """The memory of a message; an assistant's "I" is never the user."""
    metadata = {**body.metadata, "role": message.role.value}
    speaker = message.name or (message.role is Role.ASSISTANT and (body.agent_id or Role.ASSISTANT.value))
    if speaker:
        metadata["speaker"] = speaker
    return MemoryInput(
        content=message.content,
        user_id=body.user_id,
        agent_id=body.agent_id,
        session_id=body.session_id,
        metadata=metadata,
        created_at=message.created_at,
        expires_at=body.expires_at,
    )


def _rejected(index: int, error: HttpError) -> MessageError:
    item = ItemError(error=error.code, message=error.message, fields=error.more.get("fields"))
    return MessageError(**item.model_dump(), index=index)


def _remembered(stored: Sequence[Memory], extracted: Sequence[Extraction]) -> list[RememberedMessage]:
    return [
        RememberedMessage(**MemoryOutput.of(memory).model_dump(), extracted=Extracted.of(extraction))
        for memory, extraction in zip(stored, extracted, strict=True)
    ]
