"""Create and revoke API keys as entries of the tenant's spec, which contain hashes only.

New keys are added to `spec.issuedKeys`, which manifests leave out, so that applying an unchanged manifest keeps them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from loci_admin.keys.rotation import Rotation, rotated
from loci_admin.keys.schemas import KeyInput, RotationInput
from loci_admin.tenants.service import not_found
from loci_admin.tenants.store import TenantStore
from loci_contract.keys import generate, sha256
from loci_resources.tenant import API_KEYS_MAX, ApiKey, MemoryTenant, MemoryTenantSpec
from loci_runtime.errors import ConflictError, NotFoundError


class Keys:
    """API keys of tenants."""

    def __init__(self, store: TenantStore, now: Callable[[], datetime]) -> None:
        self._store = store
        self._now = now

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

    async def rotate(self, tenant: str, name: str, body: RotationInput) -> tuple[ApiKey, ApiKey | None, str]:
        """Replace a key; return the new entry, the old one while it stays valid, and the new secret."""
        secret, now = generate(tenant), self._now()
        asked = Rotation(name, sha256(secret), now + body.overlap, body.expires_at, now)
        made: list[tuple[ApiKey, ApiKey | None]] = []

        def changed(spec: MemoryTenantSpec) -> MemoryTenantSpec:
            after, new, kept = rotated(spec, asked)
            made.append((new, kept))
            return after

        if await self._store.change(tenant, changed) is None:
            raise not_found()
        return *made[-1], secret

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
