"""Request and response bodies of the tenant endpoints."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Self

from pydantic import BaseModel, Field, StringConstraints

from loci_contract.inputs import Input, Patch
from loci_contract.registry import Limits
from loci_resources.tenant import DeletionPolicy, LimitOverrides, MemoryTenant, MemoryTenantSpec

Text = Annotated[str, StringConstraints(min_length=1, max_length=128)]
Count = Annotated[int, Field(ge=1, le=10_000_000_000)]


class LimitsInput(Input):
    """Overrides of the tier's limits; only if the tier allows overrides."""

    requests_per_minute: Annotated[int, Field(ge=1, le=10_000_000)] | None = None
    burst: Annotated[int, Field(ge=1, le=10_000_000)] | None = None
    max_memories: Count | None = None
    max_graph_nodes: Count | None = None

    def overrides(self) -> LimitOverrides:
        """The overrides as fields of the resource."""
        return LimitOverrides(**self.model_dump())


class LimitsPatch(LimitsInput):
    """Changes to limits: an omitted field is unchanged; null resets it to the tier's limit."""

    _null_is_absent = False


class TenantInput(Input):
    """A tenant to create."""

    name: Text = Field(
        description="Name of the tenant; its id is derived from it, for example acme-corp from acme_corp."
    )
    tier: Text = Field(description="Name of a MemoryTier, such as free, pro or enterprise.")
    display_name: Text | None = Field(None, description="Human-readable name. Defaults to `name`.")
    limits: LimitsInput = Field(default_factory=LimitsInput)
    deletion_policy: DeletionPolicy = Field(
        DeletionPolicy.RETAIN, description="Whether the data is kept or deleted with the tenant."
    )


class TenantPatch(Patch):
    """Changes to a tenant: an omitted field is unchanged; null clears `display_name` or all `limits`."""

    tier: Text | None = None
    display_name: Text | None = None
    limits: LimitsPatch | None = None
    deletion_policy: DeletionPolicy | None = None

    def applied_to(self, spec: MemoryTenantSpec) -> MemoryTenantSpec:
        """The spec with the changes applied."""
        changes = self.model_dump(exclude_none=True, exclude={"limits"})
        if "display_name" in self.model_fields_set:
            changes["display_name"] = self.display_name
        if self.limits is not None:
            changes["limits"] = spec.limits.model_copy(update=self.limits.model_dump(exclude_unset=True))
        elif "limits" in self.model_fields_set:
            changes["limits"] = LimitOverrides()
        return spec.model_copy(update=changes)


class LimitsOutput(BaseModel):
    """Limits in force."""

    requests_per_minute: int
    max_memories: int
    max_graph_nodes: int
    burst: int

    @classmethod
    def of(cls, limits: Limits) -> Self:
        """Response body for effective limits."""
        return cls(**limits.model_dump())


class CreatedTenant(BaseModel):
    """A new tenant with its API key, which is not stored and cannot be shown again."""

    tenant_id: str
    api_key: str
    tier: str
    limits: LimitsOutput


class TenantOutput(BaseModel):
    """A tenant."""

    tenant_id: str
    display_name: str | None
    tier: str
    suspended: bool
    deletion_policy: DeletionPolicy
    phase: str | None
    limits: LimitsOutput | None
    deleting_since: datetime | None = None

    @classmethod
    def of(cls, tenant: MemoryTenant, limits: Limits | None) -> Self:
        """Response body for a tenant; `limits` is None while its tier is missing."""
        return cls(
            tenant_id=tenant.metadata.name,
            display_name=tenant.spec.display_name,
            tier=tenant.spec.tier,
            suspended=tenant.spec.suspend,
            deletion_policy=tenant.spec.deletion_policy,
            phase=tenant.status.phase,
            limits=LimitsOutput.of(limits) if limits else None,
            deleting_since=tenant.metadata.deletion_timestamp,
        )


class TenantPage(BaseModel):
    """A page of tenants ordered by name."""

    tenants: list[TenantOutput]
    next_cursor: str | None = Field(None, description="Cursor of the next page; null on the last page.")
