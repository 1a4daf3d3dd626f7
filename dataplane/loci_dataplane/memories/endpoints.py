"""`/v1/memories`: create, read, change, delete, list."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Header, Query, Request, Response

from loci_dataplane.injection import service
from loci_dataplane.memories.batch import BatchInput, BatchItem, BatchOutput, checked
from loci_dataplane.memories.schemas import (
    DeletionInput,
    DeletionOutput,
    MemoryInput,
    MemoryOutput,
    MemoryPage,
    MemoryPatch,
    PageQuery,
    ScopeQuery,
)
from loci_dataplane.memories.service import Memories
from loci_dataplane.model.filter import AllOf, compares, parse
from loci_runtime.errors import InvalidError
from loci_runtime.parameters import NO_PARAMETERS, SINGLE_PARAMETERS

router = APIRouter(prefix="/v1/memories", tags=["memories"])

MemoriesService = Annotated[Memories, service(Memories)]
IfMatch = Annotated[str | None, Header(description="The ETag that the memory must still have; else 409.")]


@router.post("", status_code=201, dependencies=[NO_PARAMETERS])
async def create(body: MemoryInput, memories: MemoriesService, request: Request, response: Response) -> MemoryOutput:
    """Store a memory. When this answers 201 it is on disk."""
    memory = await memories.add(body)
    response.headers.update({"Location": f"{request.url.path}/{memory.id}", "ETag": memory.etag})
    return MemoryOutput.of(memory)


@router.post("/batch", dependencies=[NO_PARAMETERS])
async def create_batch(body: BatchInput, memories: MemoriesService) -> BatchOutput:
    """Store up to 256 memories in one transaction. Each item has its own status; 200 says nothing of them."""
    results = await memories.add_all(list(checked(body.memories)))
    items = [BatchItem.of(result) for result in results]
    return BatchOutput(stored=sum(item.memory is not None for item in items), results=items)


@router.get("", dependencies=[SINGLE_PARAMETERS])
async def page(query: Annotated[PageQuery, Query()], memories: MemoriesService, request: Request) -> MemoryPage:
    """List memories by when they were stored."""
    where = AllOf(query.conditions())
    found, next_cursor = await memories.page(where, query.cursor, query.limit, query.order)
    request.scope["entities_returned"] = len(found)
    return MemoryPage(memories=[MemoryOutput.of(memory) for memory in found], next_cursor=next_cursor)


@router.delete("", dependencies=[SINGLE_PARAMETERS])
async def delete_matching(
    query: Annotated[ScopeQuery, Query()], memories: MemoriesService, body: DeletionInput | None = None
) -> DeletionOutput:
    """Delete all memories of a user, an agent, a session, or that a filter matches; all of what is sent must match."""
    asked = body.filters if body is not None else {}
    where = AllOf((*query.conditions(), parse(asked)))
    if not compares(where):
        raise InvalidError("Send user_id, agent_id or session_id, or `filters` in the body.", "query")
    return DeletionOutput(deleted=await memories.delete_matching(where))


@router.get("/{memory_id}", dependencies=[NO_PARAMETERS])
async def read(memory_id: str, memories: MemoriesService, response: Response) -> MemoryOutput:
    """Read one memory."""
    memory = await memories.get(memory_id)
    response.headers["ETag"] = memory.etag
    return MemoryOutput.of(memory)


@router.put("/{memory_id}", dependencies=[NO_PARAMETERS])
async def replace(
    memory_id: str, body: MemoryInput, memories: MemoriesService, response: Response, if_match: IfMatch = None
) -> MemoryOutput:
    """Replace a memory as a whole: fields that are left out are cleared, only the id and `created_at` stay."""
    memory = await memories.replace(memory_id, body, if_match)
    response.headers["ETag"] = memory.etag
    return MemoryOutput.of(memory)


@router.patch("/{memory_id}", dependencies=[NO_PARAMETERS])
async def patch(
    memory_id: str, body: MemoryPatch, memories: MemoriesService, response: Response, if_match: IfMatch = None
) -> MemoryOutput:
    """Change some fields of a memory; null clears one."""
    memory = await memories.patch(memory_id, body.changes(), if_match)
    response.headers["ETag"] = memory.etag
    return MemoryOutput.of(memory)


@router.delete("/{memory_id}", status_code=204, dependencies=[NO_PARAMETERS])
async def delete(memory_id: str, memories: MemoriesService, if_match: IfMatch = None) -> None:
    """Delete a memory. After 204 nothing returns it."""
    await memories.delete(memory_id, if_match)
