"""Create, read, update and delete tenants."""

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
    """Manages tenants."""

    def __init__(self, store: TenantStore) -> None:
        self._store = store

    async def create(self, body: TenantInput) -> tuple[MemoryTenant, Limits, str]:
        """Add a tenant; return it with its limits and its API key, of which only the hash is stored."""
        name, tiers = _name(body.name), await self._tiers()
        tier, key = _tier(body.tier, tiers), generate(name)
        spec = MemoryTenantSpec(
            tier=tier.metadata.name,
            display_name=body.display_name or body.name,
            limits=body.limits.overrides(),
            deletion_policy=body.deletion_policy,
            api_keys=(ApiKey(name=DEFAULT_KEY_NAME, sha256=sha256(key)),),
        )
        tenant = MemoryTenant(metadata=ObjectMeta(name=name), spec=spec)
        limits = _limits(tenant, tiers)
        existing = await self._store.get(name)
        if existing is not None:
            raise ConflictError(await self._taken(existing, body.name), "body.name")
        await self._store.create(tenant)
        return tenant, limits, key

    async def _taken(self, existing: MemoryTenant, name: str) -> str:
        """Error for a taken name, with a suggestion of a free one."""
        tenant, display_name = existing.metadata.name, existing.spec.display_name
        number = 2
        while await self._store.get(numbered(tenant, number)) is not None:
            number += 1
        free = f"Choose another name, such as {numbered(tenant, number)}."
        if name in {tenant, display_name} or display_name is None:
            return f"Tenant {tenant} already exists. {free}"
        return f"The id of this name is {tenant}, which is taken by the tenant named {display_name!r}. {free}"

    async def get(self, name: str) -> tuple[MemoryTenant, Limits | None]:
        """A tenant and its limits; raises NotFoundError if it does not exist."""
        tenant = await self._store.get(name)
        if tenant is None:
            raise not_found()
        return tenant, limits_or_none(tenant, await self._tiers())

    async def page(self, after: str, limit: int) -> tuple[Sequence[tuple[MemoryTenant, Limits | None]], str | None]:
        """A page of tenants after a name, and the name to continue after."""
        tiers, everyone = await self._tiers(), await self._store.all()
        found = list(islice((t for t in everyone if t.metadata.name > after), limit + 1))
        page = [(tenant, limits_or_none(tenant, tiers)) for tenant in found[:limit]]
        return page, found[limit - 1].metadata.name if len(found) > limit else None

    async def patch(self, name: str, body: TenantPatch) -> tuple[MemoryTenant, Limits | None]:
        """Update tier, limits or display name."""
        tiers = await self._tiers()

        def changed(spec: MemoryTenantSpec) -> MemoryTenantSpec:
            new = body.applied_to(spec)
            _limits(MemoryTenant(metadata=ObjectMeta(name=name), spec=new), tiers)
            return new

        return await self._change(name, changed)

    async def suspend(self, name: str, *, suspend: bool) -> tuple[MemoryTenant, Limits | None]:
        """Suspend or resume a tenant; its data is kept."""
        return await self._change(name, lambda spec: spec.model_copy(update={"suspend": suspend}))

    async def delete(self, name: str) -> None:
        """Delete a tenant; its deletion policy decides whether its data is kept."""
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
    """Error for a tenant that does not exist."""
    return NotFoundError("No tenant with this id exists.")


def _name(display_name: str) -> str:
    try:
        return tenant_id(display_name)
    except ValueError as error:
        raise InvalidError(str(error), "body.name") from None


def _tier(name: str, tiers: dict[str, MemoryTier]) -> MemoryTier:
    if name not in tiers:
        there = ", ".join(sorted(tiers)) or "none"
        raise InvalidError(f"Unknown tier. Use one of: {there}.", "body.tier")
    return tiers[name]


def _limits(tenant: MemoryTenant, tiers: dict[str, MemoryTier]) -> Limits:
    try:
        return effective_limits(tenant, _tier(tenant.spec.tier, tiers))
    except RejectedError as rejected:
        raise InvalidError(rejected.message, "body.limits") from None


def limits_or_none(tenant: MemoryTenant, tiers: dict[str, MemoryTier]) -> Limits | None:
    """Effective limits of a tenant; None while its tier is missing."""
    try:
        return _limits(tenant, tiers)
    except InvalidError:
        return None
