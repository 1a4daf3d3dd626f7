"""Create and revoke API keys as entries of the tenant's spec, which contain hashes only.

New keys are added to `spec.issuedKeys`, which manifests leave out, so that applying an unchanged manifest keeps them.
"""

from __future__ import annotations

from collections.abc import Sequence

from loci_admin.keys.schemas import KeyInput
from loci_admin.tenants.service import not_found
from loci_admin.tenants.store import TenantStore
from loci_contract.keys import generate, sha256
from loci_resources.tenant import API_KEYS_MAX, ApiKey, MemoryTenant, MemoryTenantSpec
from loci_runtime.errors import ConflictError, NotFoundError


class Keys:
    """API keys of tenants."""

    def __init__(self, store: TenantStore) -> None:
        self._store = store

    async def all(self, tenant: str) -> tuple[MemoryTenant, Sequence[ApiKey]]:
        """A tenant and its keys."""
        found = await self._store.get(tenant)
        if found is None:
            raise not_found()
        return found, found.spec.keys_in_force

    async def create(self, tenant: str, body: KeyInput) -> tuple[ApiKey, str]:
        """Add a key; return its entry and the secret, which is not stored."""
        secret = generate(tenant)
        key = ApiKey(
            name=body.name, scopes=tuple(sorted(body.scopes)), expires_at=body.expires_at, sha256=sha256(secret)
        )

        def changed(spec: MemoryTenantSpec) -> MemoryTenantSpec:
            held = spec.keys_in_force
            if any(other.name == key.name for other in held):
                raise ConflictError(f"A key named {key.name} already exists. Choose another name.", "body.name")
            if len(held) == API_KEYS_MAX:
                raise ConflictError(f"A tenant can have at most {API_KEYS_MAX} keys. Revoke one first.")
            # List the generated default key explicitly, or it would be revoked by the first issued key.
            issued = spec.issued_keys if spec.api_keys or spec.issued_keys else held
            return spec.model_copy(update={"issued_keys": (*issued, key)})

        if await self._store.change(tenant, changed) is None:
            raise not_found()
        return key, secret

    async def revoke(self, tenant: str, name: str) -> None:
        """Remove a key."""

        def changed(spec: MemoryTenantSpec) -> MemoryTenantSpec:
            held = spec.keys_in_force
            kept = tuple(key for key in held if key.name != name)
            if len(kept) == len(held):
                raise NotFoundError("The tenant has no key of this name.")
            if not kept:
                raise ConflictError("This is the tenant's last key. Create another one first, or suspend the tenant.")
            declared, issued = (
                tuple(key for key in keys if key.name != name) for keys in (spec.api_keys, spec.issued_keys)
            )
            return spec.model_copy(update={"api_keys": declared, "issued_keys": issued})

        if await self._store.change(tenant, changed) is None:
            raise not_found()
