"""`/admin/tenants/{tenant_id}/keys`."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Response

from loci_admin.keys.schemas import CreatedKey, KeyInput, KeyList, KeyOutput, RotatedKey, RotationInput
from loci_admin.keys.service import Keys
from loci_contract.keys import key_id
from loci_resources.tenant import ApiKey, MemoryTenant
from loci_runtime.injection import provided

Service = Annotated[Keys, provided(Keys)]

router = APIRouter(prefix="/admin/tenants/{tenant_id}/keys", tags=["keys"])


@router.get("")
async def all_keys(tenant_id: str, service: Service) -> KeyList:
    """List a tenant's keys."""
    tenant, keys = await service.all(tenant_id)
    return KeyList(keys=[_output(key, tenant) for key in keys])


@router.post("", status_code=201)
async def create(tenant_id: str, body: KeyInput, service: Service, response: Response) -> CreatedKey:
    """Create a key. The response is the only place where it is shown."""
    key, secret = await service.create(tenant_id, body)
    response.headers["Cache-Control"] = "no-store"
    return CreatedKey(**_output(key).model_dump(), api_key=secret)


@router.post("/{name}/rotate")
async def rotate(
    tenant_id: str, name: str, service: Service, response: Response, body: RotationInput | None = None
) -> RotatedKey:
    """Replace a key. The old one stays valid for the overlap, under another name."""
    key, previous, secret = await service.rotate(tenant_id, name, body or RotationInput())
    response.headers["Cache-Control"] = "no-store"
    old = _output(previous) if previous else None
    return RotatedKey(**_output(key).model_dump(), api_key=secret, previous=old)


@router.delete("/{name}", status_code=204)
async def revoke(tenant_id: str, name: str, service: Service) -> None:
    """Revoke a key."""
    await service.revoke(tenant_id, name)


def _output(key: ApiKey, tenant: MemoryTenant | None = None) -> KeyOutput:
    reported = {entry.name: entry.id for entry in tenant.status.api_keys} if tenant else {}
    public = key_id(key.sha256) if key.sha256 else reported.get(key.name)
    return KeyOutput(name=key.name, id=public, scopes=sorted(key.scopes), expires_at=key.expires_at)
