"""`/v1/memories`: create, read, change, delete, list."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Header, Query, Request, Response

from loci_dataplane.injection import service
from loci_dataplane.memories import replies
from loci_dataplane.memories.batch import BatchInput, BatchOutput, checked
from loci_dataplane.memories.callers import FromCaller
from loci_dataplane.memories.schemas import (
    ChangeOutput,
    DeletionInput,
    DeletionOutput,
    HistoryOutput,
    MemoryInput,
    MemoryOutput,
    MemoryPage,
    MemoryPatch,
    PageQuery,
    ReplacementInput,
    ScopeQuery,
)
from loci_dataplane.memories.service import Memories
from loci_dataplane.model.filter import AllOf, bounds, parse
from loci_runtime.errors import InvalidError
from loci_runtime.model_response import model_response
from loci_runtime.parameters import NO_PARAMETERS, SINGLE_PARAMETERS

router = APIRouter(prefix="/v1/memories", tags=["memories"])

MemoriesService = Annotated[Memories, service(Memories)]
IfMatch = Annotated[str | None, Header(description="The ETag that the memory must still have; else 409.")]


@router.post("", status_code=201, response_model=MemoryOutput, dependencies=[NO_PARAMETERS])
async def create(body: MemoryInput, memories: MemoriesService, caller: FromCaller) -> Response:
    """Store a memory. When this answers 201 it is on disk."""
    return replies.response(await memories.add(body, caller))


@router.post("/batch", response_model=BatchOutput, dependencies=[NO_PARAMETERS])
async def create_batch(body: BatchInput, memories: MemoriesService, caller: FromCaller) -> Response:
    """Store up to 256 memories in one transaction. Each item has its own status; 200 says nothing of them."""
    return replies.response(await memories.add_all(list(checked(body.memories)), caller))


@router.get("", dependencies=[SINGLE_PARAMETERS])
async def page(query: Annotated[PageQuery, Query()], memories: MemoriesService, request: Request) -> MemoryPage:
    """List memories by when they were stored."""
    where = AllOf(query.conditions())
    found, next_cursor = await memories.page(where, query.cursor, query.limit, query.order)
    request.scope["entities_returned"] = len(found)
    return MemoryPage(memories=[MemoryOutput.of(memory) for memory in found], next_cursor=next_cursor)


@router.delete("", response_model=DeletionOutput, dependencies=[SINGLE_PARAMETERS])
async def delete_matching(
    query: Annotated[ScopeQuery, Query()],
    memories: MemoriesService,
    caller: FromCaller,
    body: DeletionInput | None = None,
) -> Response:
    """Delete all memories of a user, an agent, a session, or that a filter matches; all of what is sent must match."""
    asked = body.filters if body is not None else {}
    where = AllOf((*query.conditions(), parse(asked)))
    if not bounds(where):
        raise InvalidError("Send user_id, agent_id or session_id, or `filters` that compare something.", "query")
    return replies.response(await memories.delete_matching(where, caller))


@router.get("/{memory_id}", response_model=MemoryOutput, dependencies=[NO_PARAMETERS])
async def read(memory_id: str, memories: MemoriesService) -> Response:
    """Read one memory."""
    memory = await memories.get(memory_id)
    return model_response(MemoryOutput.of(memory), {"ETag": memory.etag})


@router.get("/{memory_id}/history", dependencies=[NO_PARAMETERS])
async def history(memory_id: str, memories: MemoriesService) -> HistoryOutput:
    """Read who changed a memory and when, with its earlier versions; of a deleted memory for 30 days."""
    return HistoryOutput(changes=[ChangeOutput.of(change) for change in await memories.history(memory_id)])


@router.put("/{memory_id}", response_model=MemoryOutput, dependencies=[NO_PARAMETERS])
async def replace(
    memory_id: str,
    body: ReplacementInput,
    memories: MemoriesService,
    caller: FromCaller,
    if_match: IfMatch = None,
) -> Response:
    """Replace a memory as a whole: fields that are left out are cleared, only the id and `created_at` stay."""
    return replies.response(await memories.replace(memory_id, body, if_match, caller))


@router.patch("/{memory_id}", response_model=MemoryOutput, dependencies=[NO_PARAMETERS])
async def patch(
    memory_id: str, body: MemoryPatch, memories: MemoriesService, caller: FromCaller, if_match: IfMatch = None
) -> Response:
    """Change some fields of a memory; null clears one."""
    return replies.response(await memories.patch(memory_id, body.changes(), if_match, caller))


@router.delete("/{memory_id}", status_code=204, dependencies=[NO_PARAMETERS])
async def delete(memory_id: str, memories: MemoriesService, caller: FromCaller, if_match: IfMatch = None) -> Response:
    """Delete a memory. After 204 no read, list or search returns it."""
    return replies.response(await memories.delete(memory_id, if_match, caller))
