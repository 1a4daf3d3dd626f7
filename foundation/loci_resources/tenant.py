"""`MemoryTenant`: one tenant as a platform team describes it, and what the operator says of it."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from loci_contract.names import DEFAULT_KEY_NAME, GROUP, VERSION
from loci_contract.registry import Scope, Sha256
from loci_resources.base import Model, ObjectMeta, Resources, Size, Timestamp
from loci_resources.tier import StorageProfile

LabelName = Annotated[str, Field(pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", max_length=63)]
API_KEYS_MAX = 32
ADOPT = f"{GROUP}/adopt"
"""Annotation on a tenant: "true" lets it take over the namespace and data that an earlier one of its name left."""


class DeletionPolicy(StrEnum):
    """What becomes of the data when the tenant is deleted."""

    RETAIN = "Retain"
    DELETE = "Delete"


class LimitOverrides(Model):
    """Limits in place of the tier's; only where the tier allows it."""

    requests_per_minute: int | None = Field(None, ge=1, le=10_000_000, description="Requests a minute.")
    burst: int | None = Field(None, ge=1, le=10_000_000, description="Requests at once.")
    max_memories: int | None = Field(None, ge=1, description="Memories that may be stored.")
    max_graph_nodes: int | None = Field(None, ge=1, description="Graph nodes that may be stored.")


class ApiKey(Model):
    """One API key."""

    name: LabelName = Field(description="Names the key within the tenant.")
    scopes: tuple[Scope, ...] = Field(tuple(Scope), min_length=1, max_length=3, description="What it may do.")
    expires_at: Timestamp | None = Field(
        None,
        description="When the key stops working, RFC 3339 with an offset: 2030-01-01T00:00:00Z. Never, if unset.",
    )
    sha256: Sha256 | None = Field(
        None,
        description="SHA-256 of a key of your own, hexadecimal; a key is generated when this is left out. A key is "
        "`sk-<tenant>-` and 39 letters and digits with a checksum: `loci key <tenant>` makes one.",
    )


class Storage(Model):
    """Where and how the tenant's data is kept."""

    profile: StorageProfile | None = Field(None, description="The tier's by default.")
    size: Size | None = Field(
        None, description="Size of the volume, such as 10Gi, at least 16Mi. Defaults to the tier's."
    )
    storage_class_name: LabelName | None = Field(
        None, description="StorageClass of the volume; the cluster's by default."
    )


class Network(Model):
    """Who besides the ingress may reach the tenant's pod."""

    allow_from: tuple[LabelName, ...] = Field((), max_length=32, description="Names of namespaces.")


class MemoryTenantSpec(Model):
    """What is wanted of a tenant."""

    tier: LabelName = Field(description="Name of the MemoryTier.")
    display_name: str | None = Field(None, max_length=128, description="A name for people.")
    limits: LimitOverrides = Field(default_factory=LimitOverrides, description="In place of the tier's limits.")
    api_keys: tuple[ApiKey, ...] = Field(
        (),
        max_length=API_KEYS_MAX,
        description="API keys; one named `default` with every scope is generated when there are none.",
    )
    issued_keys: tuple[ApiKey, ...] = Field(
        (),
        max_length=API_KEYS_MAX,
        description="API keys that the admin API issued. It owns this field: leave it out of manifests, so that "
        "applying one keeps them. An entry of apiKeys with the same name takes precedence.",
    )
    storage: Storage = Field(default_factory=Storage, description="Where data is kept.")
    resources: Resources | None = Field(None, description="The pod's compute; the tier's by default.")
    network: Network = Field(default_factory=Network, description="Who may reach the pod.")
    suspend: bool = Field(False, description="Refuse the tenant's requests; its data is kept.")
    deletion_policy: DeletionPolicy = Field(
        DeletionPolicy.RETAIN, description="What becomes of the namespace and volume when the tenant is deleted."
    )

    @property
    def keys_in_force(self) -> tuple[ApiKey, ...]:
        """The declared and the issued API keys; without any, the one that is generated."""
        declared = {key.name for key in self.api_keys}
        issued = tuple(key for key in self.issued_keys if key.name not in declared)
        return (*self.api_keys, *issued) or (ApiKey(name=DEFAULT_KEY_NAME),)


class Condition(Model):
    """One aspect of the tenant's state, in Kubernetes' form."""

    type: str = Field(description="Which aspect.")
    status: Literal["True", "False", "Unknown"] = Field(description="Whether it holds.")
    reason: str = Field(description="Why, as one word.")
    message: str = Field("", description="Why, and what to do about it.")
    last_transition_time: AwareDatetime = Field(description="When `status` last changed.")
    observed_generation: int = Field(0, description="The generation of the spec that this is about.")


class EffectiveLimits(Model):
    """The limits that are enforced."""

    requests_per_minute: int = Field(description="Requests a minute.")
    burst: int = Field(description="Requests at once.")
    max_memories: int = Field(description="Memories that may be stored.")
    max_graph_nodes: int = Field(description="Graph nodes that may be stored.")


class KeyState(StrEnum):
    """Whether an API key works."""

    ACTIVE = "Active"
    EXPIRED = "Expired"
    DUPLICATE = "Duplicate"
    FOREIGN = "Foreign"


class ApiKeyStatus(Model):
    """One API key; never the key itself."""

    name: str = Field(description="The key's name.")
    id: str = Field(description="Its public id, as it appears in logs.")
    expires_at: AwareDatetime | None = Field(None, description="When the key stops working.")
    state: KeyState = Field(
        KeyState.ACTIVE,
        description="Active; Expired: past expiresAt; Duplicate: an earlier entry has the same sha256; Foreign: "
        "another tenant has the same key, which works only for the tenant that it names.",
    )


class MemoryTenantStatus(Model):
    """What the operator says of a tenant."""

    phase: str | None = Field(None, description="Pending, Ready, Suspended, Failed, Terminating or Deleting.")
    conditions: tuple[Condition, ...] = Field((), description="Aspects of the state.")
    observed_generation: int | None = Field(None, description="The generation of the spec that was acted on.")
    namespace: str | None = Field(None, description="The tenant's namespace.")
    endpoint: str | None = Field(None, description="Where the tenant's pod answers inside the cluster.")
    limits: EffectiveLimits | None = Field(None, description="The limits that are enforced.")
    api_keys: tuple[ApiKeyStatus, ...] = Field((), description="The API keys and their state.")


class MemoryTenant(Model):
    """One tenant."""

    api_version: Literal["loci.dev/v1alpha1"] = f"{GROUP}/{VERSION}"  # type: ignore[assignment]
    kind: Literal["MemoryTenant"] = "MemoryTenant"
    metadata: ObjectMeta
    spec: MemoryTenantSpec
    status: MemoryTenantStatus = Field(default_factory=MemoryTenantStatus)
