"""`MemoryTier`: a service class for tenants, as a StorageClass is for volumes."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from loci_contract.names import GROUP, VERSION
from loci_contract.registry import Priority
from loci_resources.base import Model, ObjectMeta, Requests, Resources, Size

OperationCost = Annotated[int, Field(ge=1, le=1_000)]


class StorageProfile(StrEnum):
    """Kind of stores that hold a tenant's data."""

    EMBEDDED = "embedded"
    SHARED = "shared"
    DEDICATED = "dedicated"


class MemoryTierSpec(Model):
    """Limits and defaults of the tenants of this tier."""

    requests_per_minute: int = Field(
        ge=1, le=10_000_000, description="Refill rate of the token bucket, requests per minute."
    )
    burst: int = Field(ge=1, le=10_000_000, description="Capacity of the token bucket, requests.")
    costs: dict[str, OperationCost] = Field(
        default_factory=dict,
        max_length=64,
        description="Tokens that an operation takes from the bucket, by its name in metrics and logs, such as "
        "search: 2; 1 for those that are not listed, and never more than `burst`.",
    )
    max_memories: int = Field(ge=1, description="Maximum number of memories per tenant.")
    max_graph_nodes: int = Field(ge=1, description="Maximum number of graph nodes per tenant.")
    priority: Priority = Field(Priority.NORMAL, description="Priority under overload; lower priorities are shed first.")
    storage_profile: StorageProfile = Field(StorageProfile.EMBEDDED, description="Default storage profile.")
    storage_size: Size = Field("1Gi", description="Default size of the tenant's volume.")
    resources: Resources = Field(default_factory=Resources, description="Default compute resources of the pod.")
    namespace_quota: Requests = Field(
        default_factory=Requests, description="Maximum compute of the tenant's namespace."
    )
    allow_overrides: bool = Field(False, description="Whether tenants may override the limits.")


class MemoryTier(Model):
    """A service tier."""

    api_version: Literal["loci.dev/v1alpha1"] = f"{GROUP}/{VERSION}"  # type: ignore[assignment]
    kind: Literal["MemoryTier"] = "MemoryTier"
    metadata: ObjectMeta
    spec: MemoryTierSpec
