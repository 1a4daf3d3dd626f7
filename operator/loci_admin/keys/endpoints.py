"""`/admin/tenants/{tenant_id}/keys`."""

from __future__ import annotations

from fastapi import APIRouter, Response

from loci_admin.deps import Given
from loci_admin.keys.schemas import CreatedKey, KeyInput, KeyList, KeyOutput
from loci_contract.keys import key_id
from loci_resources.tenant import ApiKey, MemoryTenant

router = APIRouter(prefix="/admin/tenants/{tenant_id}/keys", tags=["keys"])


@router.get("")
async def all_keys(tenant_id: str, given: Given) -> KeyList:
    """List a tenant's keys."""
    tenant, keys = await given.keys.all(tenant_id)
    return KeyList(keys=[_output(key, tenant) for key in keys])


@router.post("", status_code=201)
async def create(tenant_id: str, body: KeyInput, given: Given, response: Response) -> CreatedKey:
    """Create a key. It is in this answer and nowhere else."""
    key, secret = await given.keys.create(tenant_id, body)
    response.headers["Cache-Control"] = "no-store"
    return CreatedKey(**_output(key).model_dump(), api_key=secret)


@router.delete("/{name}", status_code=204)
async def revoke(tenant_id: str, name: str, given: Given) -> None:
    """Revoke a key."""
    await given.keys.revoke(tenant_id, name)


def _output(key: ApiKey, tenant: MemoryTenant | None = None) -> KeyOutput:
    reported = {entry.name: entry.id for entry in tenant.status.api_keys} if tenant else {}
    public = key_id(key.sha256) if key.sha256 else reported.get(key.name)
    return KeyOutput(name=key.name, id=public, scopes=sorted(key.scopes), expires_at=key.expires_at)
