"""Creating, reading and changing tenants."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import islice

from loci_admin.tenants.naming import numbered, tenant_id
from loci_admin.tenants.schemas import TenantInput, TenantPatch
from loci_admin.tenants.store import TenantStore
from loci_contract.keys import generate, sha256
from loci_contract.names import DEFAULT_KEY_NAME
from loci_contract.registry import Limits
from loci_resources.base import ObjectMeta
from loci_resources.derived import effective_limits
from loci_resources.errors import RejectedError
from loci_resources.tenant import ApiKey, MemoryTenant, MemoryTenantSpec
from loci_resources.tier import MemoryTier
from loci_runtime.errors import ConflictError, InvalidError, NotFoundError


class Tenants:
    """The tenants of a platform."""

    def __init__(self, store: TenantStore) -> None:
        self._store = store

    async def create(self, given: TenantInput) -> tuple[MemoryTenant, Limits, str]:
        """Add a tenant; it, its limits and its API key, of which only the hash is kept."""
        name, tiers = _name(given.name), await self._tiers()
        tier, key = _tier(given.tier, tiers), generate(name)
        spec = MemoryTenantSpec(
            tier=tier.metadata.name,
            display_name=given.display_name or given.name,
            limits=given.limits.overrides(),
            deletion_policy=given.deletion_policy,
            api_keys=(ApiKey(name=DEFAULT_KEY_NAME, sha256=sha256(key)),),
        )
        tenant = MemoryTenant(metadata=ObjectMeta(name=name), spec=spec)
        limits = _limits(tenant, tiers)
        existing = await self._store.get(name)
        if existing is not None:
            raise ConflictError(await self._taken(existing, given.name), "body.name")
        await self._store.create(tenant)
        return tenant, limits, key

    async def _taken(self, existing: MemoryTenant, name: str) -> str:
        """Why a name cannot be used, and one that can."""
        tenant, display_name = existing.metadata.name, existing.spec.display_name
        number = 2
        while await self._store.get(numbered(tenant, number)) is not None:
            number += 1
        free = f"choose another name, such as {numbered(tenant, number)}."
        if name in {tenant, display_name} or display_name is None:
            return f"There is a tenant {tenant} already: {free}"
        return f"This name gives the id {tenant}, which the tenant named {display_name!r} has: {free}"

    async def get(self, name: str) -> tuple[MemoryTenant, Limits | None]:
        """One tenant and its limits; NotFoundError when there is none."""
        tenant = await self._store.get(name)
        if tenant is None:
            raise not_found()
        return tenant, limits_or_none(tenant, await self._tiers())

    async def page(self, after: str, limit: int) -> tuple[Sequence[tuple[MemoryTenant, Limits | None]], str | None]:
        """Tenants whose names come after one, and the name to go on after."""
        tiers, everyone = await self._tiers(), await self._store.all()
        found = list(islice((t for t in everyone if t.metadata.name > after), limit + 1))
        page = [(tenant, limits_or_none(tenant, tiers)) for tenant in found[:limit]]
        return page, found[limit - 1].metadata.name if len(found) > limit else None

    async def patch(self, name: str, given: TenantPatch) -> tuple[MemoryTenant, Limits | None]:
        """Change tier, limits or display name."""
        tiers = await self._tiers()

        def changed(spec: MemoryTenantSpec) -> MemoryTenantSpec:
            new = given.applied_to(spec)
            _limits(MemoryTenant(metadata=ObjectMeta(name=name), spec=new), tiers)
            return new

        return await self._change(name, changed)

    async def suspend(self, name: str, *, suspend: bool) -> tuple[MemoryTenant, Limits | None]:
        """Refuse a tenant's requests, or serve them again; its data stays."""
        return await self._change(name, lambda spec: spec.model_copy(update={"suspend": suspend}))

    async def delete(self, name: str) -> None:
        """Remove a tenant; what becomes of its data is its deletion policy."""
        if not await self._store.delete(name):
            raise not_found()

    async def _change(
        self, name: str, changed: Callable[[MemoryTenantSpec], MemoryTenantSpec]
    ) -> tuple[MemoryTenant, Limits | None]:
        tenant = await self._store.change(name, changed)
        if tenant is None:
            raise not_found()
        return tenant, limits_or_none(tenant, await self._tiers())

    async def _tiers(self) -> dict[str, MemoryTier]:
        return {tier.metadata.name: tier for tier in await self._store.tiers()}


def not_found() -> NotFoundError:
    """What is answered for a tenant that is not there."""
    return NotFoundError("There is no tenant with this id.")


def _name(display_name: str) -> str:
    try:
        return tenant_id(display_name)
    except ValueError as error:
        raise InvalidError(str(error), "body.name") from None


def _tier(name: str, tiers: dict[str, MemoryTier]) -> MemoryTier:
    if name not in tiers:
        there = ", ".join(sorted(tiers)) or "none"
        raise InvalidError(f"There is no such tier: use one of {there}.", "body.tier")
    return tiers[name]


def _limits(tenant: MemoryTenant, tiers: dict[str, MemoryTier]) -> Limits:
    try:
        return effective_limits(tenant, _tier(tenant.spec.tier, tiers))
    except RejectedError as rejected:
        raise InvalidError(rejected.message, "body.limits") from None


def limits_or_none(tenant: MemoryTenant, tiers: dict[str, MemoryTier]) -> Limits | None:
    """A tenant's limits, or None while they cannot be told."""
    try:
        return _limits(tenant, tiers)
    except InvalidError:
        return None
