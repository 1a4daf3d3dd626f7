"""`GET /v1/usage`: what the tenant has used of its limits."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Response

from loci_dataplane.injection import service
from loci_dataplane.usage.service import Usage, UsageService
from loci_runtime.model_response import model_response

router = APIRouter(prefix="/v1", tags=["usage"])


@router.get("/usage", response_model=Usage)
async def usage(reports: Annotated[UsageService, service(UsageService)]) -> Response:
    """Return what the tenant holds and may hold."""
    return model_response(await reports.report())
