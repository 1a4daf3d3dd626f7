"""`/admin/tenants`."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response

from loci_admin.deps import Given
from loci_admin.tenants.schemas import (
    CreatedTenant,
    LimitsOutput,
    TenantInput,
    TenantOutput,
    TenantPage,
    TenantPatch,
)

router = APIRouter(prefix="/admin/tenants", tags=["tenants"])


@router.post("", status_code=201)
async def create(body: TenantInput, given: Given, response: Response) -> CreatedTenant:
    """Create a tenant. Its API key is in this answer and nowhere else."""
    tenant, limits, key = await given.tenants.create(body)
    name = tenant.metadata.name
    response.headers.update({"Location": f"/admin/tenants/{name}", "Cache-Control": "no-store"})
    return CreatedTenant(tenant_id=name, api_key=key, tier=tenant.spec.tier, limits=LimitsOutput.of(limits))


@router.get("")
async def page(
    given: Given,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    cursor: Annotated[str, Query(max_length=64)] = "",
) -> TenantPage:
    """List tenants by name."""
    found, next_cursor = await given.tenants.page(cursor, limit)
    return TenantPage(tenants=[TenantOutput.of(*entry) for entry in found], next_cursor=next_cursor)


@router.get("/{tenant_id}")
async def read(tenant_id: str, given: Given) -> TenantOutput:
    """Read one tenant."""
    return TenantOutput.of(*await given.tenants.get(tenant_id))


@router.patch("/{tenant_id}")
async def patch(tenant_id: str, body: TenantPatch, given: Given) -> TenantOutput:
    """Change a tenant's tier, limits or display name."""
    return TenantOutput.of(*await given.tenants.patch(tenant_id, body))


@router.post("/{tenant_id}/suspend")
async def suspend(tenant_id: str, given: Given) -> TenantOutput:
    """Refuse the tenant's requests; its data stays."""
    return TenantOutput.of(*await given.tenants.suspend(tenant_id, suspend=True))


@router.post("/{tenant_id}/resume")
async def resume(tenant_id: str, given: Given) -> TenantOutput:
    """Serve the tenant's requests again."""
    return TenantOutput.of(*await given.tenants.suspend(tenant_id, suspend=False))


@router.delete("/{tenant_id}", status_code=202, response_class=Response)
async def delete(tenant_id: str, given: Given) -> Response:
    """Delete a tenant; its key is refused at once, its data goes or stays as its deletion policy says."""
    await given.tenants.delete(tenant_id)
    return Response(status_code=202)
