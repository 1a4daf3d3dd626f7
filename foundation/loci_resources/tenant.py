"""`MemoryTenant`: the desired state of one tenant, and the status that the operator reports."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from pydantic import AwareDatetime, Field

from loci_contract.names import DEFAULT_KEY_NAME, GROUP, VERSION
from loci_contract.registry import Scope, Sha256
from loci_resources.base import LabelName, Model, ObjectMeta, Resources, Timestamp
from loci_resources.storage import Storage, StoreKind

API_KEYS_MAX = 32
ADOPT = f"{GROUP}/adopt"
"""Annotation on a tenant: "true" lets it adopt the namespace and data retained from an earlier tenant of its name."""


class DeletionPolicy(StrEnum):
    """Whether the data is kept or deleted with the tenant."""

    RETAIN = "Retain"
    DELETE = "Delete"


class LimitOverrides(Model):
    """Overrides of the tier's limits; only if the tier allows overrides."""

    requests_per_minute: int | None = Field(None, ge=1, le=10_000_000, description="Requests per minute.")
    burst: int | None = Field(None, ge=1, le=10_000_000, description="Burst capacity, requests.")
    max_memories: int | None = Field(None, ge=1, description="Maximum number of memories.")
    max_graph_nodes: int | None = Field(None, ge=1, description="Maximum number of graph nodes.")


class ApiKey(Model):
    """One API key."""

    name: LabelName = Field(description="Name of the key, unique within the tenant.")
    scopes: tuple[Scope, ...] = Field(tuple(Scope), min_length=1, max_length=3, description="Scopes of the key.")
    expires_at: Timestamp | None = Field(
        None,
        description="Expiry time, RFC 3339 with an offset, such as 2030-01-01T00:00:00Z. Unset: never expires.",
    )
    sha256: Sha256 | None = Field(
        None,
        description="Hexadecimal SHA-256 of a key that you made yourself with `loci key <tenant>`; without it, a key "
        "is generated. Keys have the form `sk-<tenant>-` followed by 39 letters and digits that include a checksum.",
    )


class Network(Model):
    """Network access to the tenant's pod besides the ingress."""

    allow_from: tuple[LabelName, ...] = Field(
        (), max_length=32, description="Namespaces whose pods may connect to the tenant's pod directly."
    )


class MemoryTenantSpec(Model):
    """Desired state of a tenant."""

    tier: LabelName = Field(description="Name of the MemoryTier.")
    display_name: str | None = Field(None, max_length=128, description="Human-readable name.")
    limits: LimitOverrides = Field(
        default_factory=LimitOverrides, description="Overrides of the tier's limits; only if the tier allows overrides."
    )
    api_keys: tuple[ApiKey, ...] = Field(
        (),
        max_length=API_KEYS_MAX,
        description="API keys. If there are none, a key named `default` with every scope is generated.",
    )
    issued_keys: tuple[ApiKey, ...] = Field(
        (),
        max_length=API_KEYS_MAX,
        description="API keys that the admin API issued. It owns this field: leave it out of manifests, so that "
        "applying one keeps them. An entry of apiKeys with the same name takes precedence.",
    )
    storage: Storage = Field(default_factory=Storage, description="Storage of the tenant's data.")
    replicas: int | None = Field(
        None,
        ge=1,
        le=20,
        description="Number of pods; more than one only where records and vectors are outside the pod. Defaults to 2 "
        "with a store of the tenant's own, else to 1.",
    )
    resources: Resources | None = Field(None, description="Compute resources of the pod. Defaults to the tier's.")
    network: Network = Field(
        default_factory=Network, description="Network access to the tenant's pod besides the ingress."
    )
    suspend: bool = Field(False, description="Reject the tenant's requests while keeping its data.")
    deletion_policy: DeletionPolicy = Field(
        DeletionPolicy.RETAIN, description="Whether the namespace and volume are kept or deleted with the tenant."
    )

    @property
    def keys_in_force(self) -> tuple[ApiKey, ...]:
        """The declared and issued API keys; if there are none, the generated default key."""
        declared = {key.name for key in self.api_keys}
        issued = tuple(key for key in self.issued_keys if key.name not in declared)
        return (*self.api_keys, *issued) or (ApiKey(name=DEFAULT_KEY_NAME),)


class Condition(Model):
    """A standard Kubernetes status condition."""

    type: str = Field(description="Type of the condition.")
    status: Literal["True", "False", "Unknown"] = Field(description="Status of the condition.")
    reason: str = Field(description="Reason for the status, one CamelCase word.")
    message: str = Field("", description="Human-readable explanation, with what to do about it.")
    last_transition_time: AwareDatetime = Field(description="Time at which `status` last changed.")
    observed_generation: int = Field(0, description="Generation of the spec that the condition was computed from.")


class EffectiveLimits(Model):
    """Limits in force."""

    requests_per_minute: int = Field(description="Requests per minute.")
    burst: int = Field(description="Burst capacity, requests.")
    max_memories: int = Field(description="Maximum number of memories.")
    max_graph_nodes: int = Field(description="Maximum number of graph nodes.")


class KeyState(StrEnum):
    """State of an API key."""

    ACTIVE = "Active"
    EXPIRED = "Expired"
    DUPLICATE = "Duplicate"
    FOREIGN = "Foreign"


class ApiKeyStatus(Model):
    """Status of one API key; never contains the key itself."""

    name: str = Field(description="Name of the key.")
    id: str = Field(description="Public id of the key, as it appears in logs.")
    expires_at: AwareDatetime | None = Field(None, description="Expiry time; unset if the key never expires.")
    state: KeyState = Field(
        KeyState.ACTIVE,
        description="Active; Expired (past expiresAt); Duplicate (an earlier entry has the same sha256); Foreign "
        "(another tenant declares the same key, which is valid only for the tenant named in it).",
    )


class DataStatus(Model):
    """The tenant's data."""

    records: StoreKind = Field(description="Where the records are: embedded, shared or dedicated.")
    id: str = Field(
        description="Identity of the data: the uid of the volume's claim, or an identifier of the tenant's share of "
        "the shared stores. If another one is found, the tenant is not ready (DataLost) until it is annotated with "
        "loci.dev/accept-data-loss and this value."
    )
    size: str | None = Field(None, description="Size of the volume.")


class MemoryTenantStatus(Model):
    """Observed state of a tenant."""

    phase: str | None = Field(None, description="Pending, Ready, Suspended, Failed, Terminating or Deleting.")
    conditions: tuple[Condition, ...] = Field((), description="Status conditions.")
    observed_generation: int | None = Field(None, description="Generation of the spec that was last reconciled.")
    namespace: str | None = Field(None, description="Namespace of the tenant.")
    endpoint: str | None = Field(None, description="URL of the tenant's pod inside the cluster.")
    limits: EffectiveLimits | None = Field(None, description="Limits in force.")
    api_keys: tuple[ApiKeyStatus, ...] = Field((), description="API keys and their states.")
    data: DataStatus | None = Field(None, description="Where the tenant's data is kept.")


class MemoryTenant(Model):
    """A tenant of the memory service."""

    api_version: Literal["loci.dev/v1alpha1"] = f"{GROUP}/{VERSION}"  # type: ignore[assignment]
    kind: Literal["MemoryTenant"] = "MemoryTenant"
    metadata: ObjectMeta
    spec: MemoryTenantSpec
    status: MemoryTenantStatus = Field(default_factory=MemoryTenantStatus)
