"""`POST /v1/memories/search`."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request, Response

from loci_dataplane.injection import service
from loci_dataplane.search.schemas import SearchInput, SearchOutput
from loci_dataplane.search.service import Search
from loci_runtime.model_response import model_response
from loci_runtime.parameters import NO_PARAMETERS

router = APIRouter(prefix="/v1/memories", tags=["search"])


@router.post("/search", response_model=SearchOutput, dependencies=[NO_PARAMETERS])
async def search(body: SearchInput, searches: Annotated[Search, service(Search)], request: Request) -> Response:
    """Find memories by meaning and by words."""
    output = await searches.search(body)
    request.scope["entities_returned"] = len(output.results)
    return model_response(output, exclude_none=True)
