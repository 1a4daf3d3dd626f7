"""`/health` for callers, `/livez` and `/readyz` for Kubernetes, `/metrics` for Prometheus."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from importlib.metadata import version
from typing import Any, Final, Literal

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel

from loci_dataplane.deps import Given

router = APIRouter(tags=["health"])

_TIMEOUT: Final = 2.0
_VERSION: Final = version("loci-memory")

Status = Literal["healthy", "degraded", "unhealthy"]


class Health(BaseModel):
    """How the service is: unhealthy without its records, degraded without another part."""

    status: Status
    components: dict[str, Status]
    version: str


@router.get("/health")
async def health(given: Given, response: Response) -> Health:
    """Whether the service and each of its parts work."""
    deps = given.deps
    checks = {
        "records": deps.stores.records.check(),
        "vectors": deps.stores.vectors.check(),
        "embedder": deps.embedder.embed(["health"], interactive=True),
    }
    works = await asyncio.gather(*(_works(check) for check in checks.values()))
    components: dict[str, Status] = {n: "healthy" if w else "unhealthy" for n, w in zip(checks, works, strict=True)}
    status: Status = "unhealthy" if not works[0] else "healthy" if all(works) else "degraded"
    response.status_code = 503 if status == "unhealthy" else 200
    return Health(status=status, components=components, version=_VERSION)


@router.get("/livez", include_in_schema=False)
@router.get("/readyz", include_in_schema=False)
async def alive() -> dict[str, str]:
    """Whether the process serves."""
    return {"status": "healthy"}


@router.get("/metrics", include_in_schema=False)
async def metrics(given: Given) -> Response:
    """Metrics in Prometheus' text format."""
    await given.refresh()
    return Response(generate_latest(given.deps.registry), media_type=CONTENT_TYPE_LATEST)


async def _works(check: Awaitable[Any]) -> bool:
    try:
        await asyncio.wait_for(check, _TIMEOUT)
    except Exception:  # noqa: BLE001 - the edge: any failure means that the part does not work
        return False
    return True
