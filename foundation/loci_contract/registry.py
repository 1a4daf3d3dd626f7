"""Registry record: the tenant data that the ingress needs; written by the operator and watched by the policy."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Final

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, field_serializer

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class Scope(StrEnum):
    """Permissions of an API key; each scope includes the ones before it: read, write, admin."""

    READ = "read"
    WRITE = "write"
    ADMIN = "admin"


_IMPLIED: Final = {
    Scope.READ: {Scope.READ},
    Scope.WRITE: {Scope.READ, Scope.WRITE},
    Scope.ADMIN: {Scope.READ, Scope.WRITE, Scope.ADMIN},
}


def implied(scopes: Iterable[Scope]) -> frozenset[Scope]:
    """The scopes and all scopes that they include."""
    return frozenset[Scope]().union(*(_IMPLIED[scope] for scope in scopes))


class TenantState(StrEnum):
    """State of a tenant as enforced by the ingress."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    HIBERNATED = "hibernated"
    DELETING = "deleting"
    UNAVAILABLE = "unavailable"


class Priority(StrEnum):
    """Priority of a tenant's requests under overload."""

    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Limits(_Frozen):
    """Effective limits of a tenant, from its tier and overrides."""

    requests_per_minute: int = Field(gt=0, description="Refill rate of the token bucket, requests per minute.")
    burst: int = Field(gt=0, description="Capacity of the token bucket, requests.")
    max_memories: int = Field(gt=0, description="Maximum number of memories.")
    max_graph_nodes: int = Field(gt=0, description="Maximum number of graph nodes.")


class KeyRecord(_Frozen):
    """An API key in the registry."""

    name: str
    sha256: Sha256
    scopes: frozenset[Scope]
    expires_at: AwareDatetime | None = None

    @field_serializer("scopes")
    def _in_order(self, scopes: frozenset[Scope]) -> list[Scope]:
        """Serialise in sorted order, so that equal sets give equal JSON in every process."""
        return sorted(scopes)

    def is_expired(self, now: datetime) -> bool:
        """Whether the key has expired at `now`, an aware datetime."""
        return self.expires_at is not None and self.expires_at <= now


class RegistryRecord(_Frozen):
    """A tenant in the registry. Unknown fields are ignored, so that writers can be newer than readers."""

    tenant: str
    tier: str
    state: TenantState = TenantState.ACTIVE
    priority: Priority = Priority.NORMAL
    limits: Limits
    costs: dict[str, int] = Field({}, description="Tokens that an operation takes, where it is not 1, by operation.")
    keys: tuple[KeyRecord, ...] = ()
    upstream: str = Field(description="host:port of the tenant's pod.")
    ingress_token: str = Field(
        repr=False, description="Token sent with every routed request; the pod rejects requests without it."
    )
