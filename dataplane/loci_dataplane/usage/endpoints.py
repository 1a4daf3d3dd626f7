"""`GET /v1/usage`: what the tenant has used of its limits."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter

from loci_dataplane.injection import service
from loci_dataplane.usage.service import Usage, UsageService

router = APIRouter(prefix="/v1", tags=["usage"])


@router.get("/usage")
async def usage(reports: Annotated[UsageService, service(UsageService)]) -> Usage:
    """Return what the tenant holds and may hold."""
    return await reports.report()
