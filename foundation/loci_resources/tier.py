"""`MemoryTier`: what tenants of a kind get, like a StorageClass for volumes."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from pydantic import Field

from loci_contract.names import GROUP, VERSION
from loci_contract.registry import Priority
from loci_resources.base import Model, ObjectMeta, Requests, Resources, Size


class StorageProfile(StrEnum):
    """Where a tenant's data lives."""

    EMBEDDED = "embedded"
    SHARED = "shared"
    DEDICATED = "dedicated"


class MemoryTierSpec(Model):
    """What a tenant of this tier gets."""

    requests_per_minute: int = Field(ge=1, le=10_000_000, description="Refill of the token bucket, requests a minute.")
    burst: int = Field(ge=1, le=10_000_000, description="Capacity of the token bucket, requests.")
    max_memories: int = Field(ge=1, description="Memories that a tenant may store.")
    max_graph_nodes: int = Field(ge=1, description="Graph nodes that a tenant may store.")
    priority: Priority = Field(Priority.NORMAL, description="Who goes first under overload.")
    storage_profile: StorageProfile = Field(StorageProfile.EMBEDDED, description="Where data lives by default.")
    storage_size: Size = Field("1Gi", description="Size of a new tenant's volume by default.")
    resources: Resources = Field(default_factory=Resources, description="The pod's compute by default.")
    namespace_quota: Requests = Field(
        default_factory=Requests, description="The most compute that the tenant's whole namespace may use."
    )
    allow_overrides: bool = Field(False, description="Whether a tenant may set limits of its own.")


class MemoryTier(Model):
    """A tier of tenants."""

    api_version: Literal["loci.dev/v1alpha1"] = f"{GROUP}/{VERSION}"  # type: ignore[assignment]
    kind: Literal["MemoryTier"] = "MemoryTier"
    metadata: ObjectMeta
    spec: MemoryTierSpec
