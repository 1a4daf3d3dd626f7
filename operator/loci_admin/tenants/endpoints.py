"""`/admin/tenants`."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response

from loci_admin.tenants.schemas import (
    CreatedTenant,
    LimitsOutput,
    TenantInput,
    TenantOutput,
    TenantPage,
    TenantPatch,
)
from loci_admin.tenants.service import Tenants
from loci_runtime.injection import provided

Service = Annotated[Tenants, provided(Tenants)]

router = APIRouter(prefix="/admin/tenants", tags=["tenants"])


@router.post("", status_code=201)
async def create(body: TenantInput, service: Service, response: Response) -> CreatedTenant:
    """Create a tenant. The response is the only place where its API key is shown."""
    tenant, limits, key = await service.create(body)
    name = tenant.metadata.name
    response.headers.update({"Location": f"/admin/tenants/{name}", "Cache-Control": "no-store"})
    return CreatedTenant(tenant_id=name, api_key=key, tier=tenant.spec.tier, limits=LimitsOutput.of(limits))


@router.get("")
async def page(
    service: Service,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    cursor: Annotated[str, Query(max_length=64)] = "",
) -> TenantPage:
    """List tenants by name."""
    found, next_cursor = await service.page(cursor, limit)
    return TenantPage(tenants=[TenantOutput.of(*entry) for entry in found], next_cursor=next_cursor)


@router.get("/{tenant_id}")
async def read(tenant_id: str, service: Service) -> TenantOutput:
    """Read one tenant."""
    return TenantOutput.of(*await service.get(tenant_id))


@router.patch("/{tenant_id}")
async def patch(tenant_id: str, body: TenantPatch, service: Service) -> TenantOutput:
    """Update a tenant's tier, limits or display name."""
    return TenantOutput.of(*await service.patch(tenant_id, body))


@router.post("/{tenant_id}/suspend")
async def suspend(tenant_id: str, service: Service) -> TenantOutput:
    """Suspend a tenant: its requests are rejected, its data is kept."""
    return TenantOutput.of(*await service.suspend(tenant_id, suspend=True))


@router.post("/{tenant_id}/resume")
async def resume(tenant_id: str, service: Service) -> TenantOutput:
    """Resume a suspended tenant."""
    return TenantOutput.of(*await service.suspend(tenant_id, suspend=False))


@router.delete("/{tenant_id}", status_code=202, response_class=Response)
async def delete(tenant_id: str, service: Service) -> Response:
    """Delete a tenant. Its keys are revoked at once; its data is kept or deleted according to its deletion policy."""
    await service.delete(tenant_id)
    return Response(status_code=202)
