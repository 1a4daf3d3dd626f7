"""Creating and revoking keys: entries of the tenant's spec, with hashes alone.

New keys go to `spec.issuedKeys`, which no manifest names, so that applying an unchanged manifest keeps them.
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
    """The keys of tenants."""

    def __init__(self, store: TenantStore) -> None:
        self._store = store

    async def all(self, tenant: str) -> tuple[MemoryTenant, Sequence[ApiKey]]:
        """A tenant and its keys."""
        found = await self._store.get(tenant)
        if found is None:
            raise not_found()
        return found, found.spec.keys_in_force

    async def create(self, tenant: str, given: KeyInput) -> tuple[ApiKey, str]:
        """Add a key; the entry, and the key itself, which nobody keeps."""
        secret = generate(tenant)
        key = ApiKey(
            name=given.name, scopes=tuple(sorted(given.scopes)), expires_at=given.expires_at, sha256=sha256(secret)
        )

        def changed(spec: MemoryTenantSpec) -> MemoryTenantSpec:
            held = spec.keys_in_force
            if any(other.name == key.name for other in held):
                raise ConflictError(f"There is a key {key.name} already: choose another name.", "body.name")
            if len(held) == API_KEYS_MAX:
                raise ConflictError(f"A tenant has at most {API_KEYS_MAX} keys: revoke one first.")
            # The key that was generated for want of any stays in force: it is named from now on.
            issued = spec.issued_keys if spec.api_keys or spec.issued_keys else held
            return spec.model_copy(update={"issued_keys": (*issued, key)})

        if await self._store.change(tenant, changed) is None:
            raise not_found()
        return key, secret

    async def revoke(self, tenant: str, name: str) -> None:
        """Remove a key; it is refused from now on."""

        def changed(spec: MemoryTenantSpec) -> MemoryTenantSpec:
            held = spec.keys_in_force
            kept = tuple(key for key in held if key.name != name)
            if len(kept) == len(held):
                raise NotFoundError("This tenant has no key of this name.")
            if not kept:
                raise ConflictError("This is the tenant's last key: create another first, or suspend the tenant.")
            declared, issued = (
                tuple(key for key in keys if key.name != name) for keys in (spec.api_keys, spec.issued_keys)
            )
            return spec.model_copy(update={"api_keys": declared, "issued_keys": issued})

        if await self._store.change(tenant, changed) is None:
            raise not_found()
