"""`POST /v2/memories`, `POST /v2/memories/search`, `POST /v2/context`."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request, Response

from loci_dataplane.conversations.context import Context
from loci_dataplane.conversations.schemas import (
    ContextInput,
    ContextOutput,
    ConversationInput,
    ConversationOutput,
    ExplainedSearchInput,
)
from loci_dataplane.conversations.service import Conversations
from loci_dataplane.injection import service
from loci_dataplane.memories import replies
from loci_dataplane.memories.callers import FromCaller
from loci_dataplane.search.schemas import SearchOutput
from loci_dataplane.search.service import Search
from loci_runtime.parameters import NO_PARAMETERS

router = APIRouter(prefix="/v2", tags=["conversations"], dependencies=[NO_PARAMETERS])


@router.post("/memories", status_code=201, response_model=ConversationOutput)
async def remember(
    body: ConversationInput, conversations: Annotated[Conversations, service(Conversations)], caller: FromCaller
) -> Response:
    """Remember a conversation. When this responds 201 its messages are on disk."""
    return replies.response(await conversations.remember(body, caller))


@router.post("/memories/search", response_model_exclude_none=True)
async def search(
    body: ExplainedSearchInput, searches: Annotated[Search, service(Search)], request: Request
) -> SearchOutput:
    """Find memories, and say why each was found."""
    output = await searches.search(body)
    request.scope["entities_returned"] = len(output.results)
    return output


@router.post("/context")
async def context(
    body: ContextInput, contexts: Annotated[Context, service(Context)], request: Request
) -> ContextOutput:
    """Return a block of text for a prompt, each line with the id of its memory."""
    output = await contexts.block(body)
    request.scope["entities_returned"] = len(output.lines)
    return output
