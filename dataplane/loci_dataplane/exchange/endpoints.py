"""`GET /v1/export` and `POST /v1/import`: lines of JSON."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse

from loci_dataplane.exchange.service import Exchange
from loci_dataplane.injection import service
from loci_runtime.parameters import NO_PARAMETERS

router = APIRouter(prefix="/v1", tags=["exchange"], dependencies=[NO_PARAMETERS])

ExchangeService = Annotated[Exchange, service(Exchange)]
_LINES: Final = "application/x-ndjson"


@router.get("/export", response_class=StreamingResponse)
async def export(exchange: ExchangeService) -> StreamingResponse:
    """Read all memories and histories, a line of JSON for each; the last line has the counts."""
    return StreamingResponse(exchange.export(), media_type=_LINES)


@router.post("/import", response_class=StreamingResponse)
async def load(exchange: ExchangeService, request: Request) -> StreamingResponse:
    """Store the lines of an export, ids that are there already excepted; the response's lines tell the progress."""
    return StreamingResponse(exchange.load(await request.body()), media_type=_LINES)
