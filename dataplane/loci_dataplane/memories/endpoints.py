"""`/v1/memories`: create, read, change, delete, list."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Header, Query, Request, Response

from loci_dataplane.deps import Given
from loci_dataplane.memories.schemas import MemoryInput, MemoryOutput, MemoryPage, MemoryPatch, PageQuery
from loci_dataplane.model.filter import AllOf, Condition
from loci_runtime.parameters import NO_PARAMETERS, SINGLE_PARAMETERS

router = APIRouter(prefix="/v1/memories", tags=["memories"])

IfMatch = Annotated[str | None, Header(description="The ETag that the memory must still have; else 409.")]


@router.post("", status_code=201, dependencies=[NO_PARAMETERS])
async def create(body: MemoryInput, given: Given, response: Response) -> MemoryOutput:
    """Store a memory. When this answers 201 it is on disk."""
    memory = await given.memories.add(body)
    response.headers.update({"Location": f"/v1/memories/{memory.id}", "ETag": memory.etag})
    return MemoryOutput.of(memory)


@router.get("", dependencies=[SINGLE_PARAMETERS])
async def page(query: Annotated[PageQuery, Query()], given: Given, request: Request) -> MemoryPage:
    """List memories by when they were stored."""
    wanted = query.model_dump(include={"user_id", "agent_id", "session_id"}, exclude_none=True)
    where = AllOf(tuple(Condition(name, "eq", value) for name, value in wanted.items()))
    memories, next_cursor = await given.memories.page(where, query.cursor, query.limit, query.order)
    request.scope["entities_returned"] = len(memories)
    return MemoryPage(memories=[MemoryOutput.of(memory) for memory in memories], next_cursor=next_cursor)


@router.get("/{memory_id}", dependencies=[NO_PARAMETERS])
async def read(memory_id: str, given: Given, response: Response) -> MemoryOutput:
    """Read one memory."""
    memory = await given.memories.get(memory_id)
    response.headers["ETag"] = memory.etag
    return MemoryOutput.of(memory)


@router.put("/{memory_id}", dependencies=[NO_PARAMETERS])
async def replace(
    memory_id: str, body: MemoryInput, given: Given, response: Response, if_match: IfMatch = None
) -> MemoryOutput:
    """Replace a memory as a whole: fields that are left out are cleared, only the id and `created_at` stay."""
    memory = await given.memories.replace(memory_id, body, if_match)
    response.headers["ETag"] = memory.etag
    return MemoryOutput.of(memory)


@router.patch("/{memory_id}", dependencies=[NO_PARAMETERS])
async def patch(
    memory_id: str, body: MemoryPatch, given: Given, response: Response, if_match: IfMatch = None
) -> MemoryOutput:
    """Change some fields of a memory; null clears one."""
    memory = await given.memories.patch(memory_id, body.changes(), if_match)
    response.headers["ETag"] = memory.etag
    return MemoryOutput.of(memory)


@router.delete("/{memory_id}", status_code=204, dependencies=[NO_PARAMETERS])
async def delete(memory_id: str, given: Given, if_match: IfMatch = None) -> None:
    """Delete a memory. After 204 nothing returns it."""
    await given.memories.delete(memory_id, if_match)
