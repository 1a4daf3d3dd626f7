"""`POST /v1/memories/search`."""

from __future__ import annotations

from fastapi import APIRouter, Request

from loci_dataplane.deps import Given
from loci_dataplane.search.schemas import SearchInput, SearchOutput
from loci_runtime.parameters import NO_PARAMETERS

router = APIRouter(prefix="/v1/memories", tags=["search"])


@router.post("/search", response_model_exclude_none=True, dependencies=[NO_PARAMETERS])
async def search(body: SearchInput, given: Given, request: Request) -> SearchOutput:
    """Find memories by meaning and by words."""
    output = await given.search.search(body)
    request.scope["entities_returned"] = len(output.results)
    return output
