"""`/health` for callers, `/livez` and `/readyz` for Kubernetes, `/metrics` for Prometheus."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST

from loci_dataplane.health.service import Health, HealthService
from loci_dataplane.injection import service
from loci_dataplane.metrics import MetricsPage
from loci_dataplane.stores.ports import Stores

router = APIRouter(tags=["health"])


@router.get("/health")
async def health(checks: Annotated[HealthService, service(HealthService)], response: Response) -> Health:
    """Return the status of the service and of each of its components."""
    report = await checks.report()
    response.status_code = 503 if report.status == "unhealthy" else 200
    return report


@router.get("/livez", include_in_schema=False)
async def alive() -> dict[str, str]:
    """Respond while the process runs."""
    return {"status": "healthy"}


@router.get("/readyz", include_in_schema=False)
async def ready(stores: Annotated[Stores, service(Stores)]) -> dict[str, str]:
    """Respond 200 while the stores are open, else 503 with the store that is missing."""
    del stores
    return {"status": "healthy"}


@router.get("/metrics", include_in_schema=False)
async def metrics(page: Annotated[MetricsPage, service(MetricsPage)]) -> Response:
    """Return the metrics in Prometheus' text format."""
    return Response(await page.render(), media_type=CONTENT_TYPE_LATEST)
