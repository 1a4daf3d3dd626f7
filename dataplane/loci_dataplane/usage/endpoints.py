"""`GET /v1/usage`: what the tenant holds and may hold."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel

from loci_dataplane.deps import Given

router = APIRouter(prefix="/v1", tags=["usage"])


class Usage(BaseModel):
    """Used and allowed."""

    memories: int
    max_memories: int
    requests_per_minute: int


@router.get("/usage")
async def usage(given: Given) -> Usage:
    """What the tenant holds and may hold."""
    limits = given.deps.limits()
    held = await given.deps.stores.records.count()
    return Usage(memories=held, max_memories=limits.max_memories, requests_per_minute=limits.requests_per_minute)
