"""The registry record: all that the ingress needs to know of a tenant; the operator writes it, the policy watches."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Final

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, field_serializer

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class Scope(StrEnum):
    """What an API key may do: search and read; also write; also the tenant's own administration."""

    READ = "read"
    WRITE = "write"
    ADMIN = "admin"


_IMPLIED: Final = {
    Scope.READ: {Scope.READ},
    Scope.WRITE: {Scope.READ, Scope.WRITE},
    Scope.ADMIN: {Scope.READ, Scope.WRITE, Scope.ADMIN},
}


def implied(scopes: Iterable[Scope]) -> frozenset[Scope]:
    """The scopes, and those that they include."""
    return frozenset[Scope]().union(*(_IMPLIED[scope] for scope in scopes))


class TenantState(StrEnum):
    """How the ingress treats a tenant's requests."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    HIBERNATED = "hibernated"
    DELETING = "deleting"


class Priority(StrEnum):
    """Who goes first under overload."""

    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Limits(_Frozen):
    """A tenant's effective limits, after its tier and its overrides."""

    requests_per_minute: int = Field(gt=0, description="Refill of the token bucket, requests a minute.")
    burst: int = Field(gt=0, description="Capacity of the token bucket, requests.")
    max_memories: int = Field(gt=0, description="Memories that may be stored.")
    max_graph_nodes: int = Field(gt=0, description="Graph nodes that may be stored.")


class KeyRecord(_Frozen):
    """One API key as the ingress knows it."""

    name: str
    sha256: Sha256
    scopes: frozenset[Scope]
    expires_at: AwareDatetime | None = None

    @field_serializer("scopes")
    def _in_order(self, scopes: frozenset[Scope]) -> list[Scope]:
        """The same text for the same set, in every process."""
        return sorted(scopes)

    def is_expired(self, now: datetime) -> bool:
        """Whether the key's time is over at `now` (aware)."""
        return self.expires_at is not None and self.expires_at <= now


class RegistryRecord(_Frozen):
    """One tenant as the ingress knows it. Unknown fields are ignored, so that writers can be newer than readers."""

    tenant: str
    tier: str
    state: TenantState = TenantState.ACTIVE
    priority: Priority = Priority.NORMAL
    limits: Limits
    keys: tuple[KeyRecord, ...] = ()
    upstream: str = Field(description="host:port of the tenant's pod.")
    ingress_token: str = Field(repr=False, description="Goes with each routed request; the pod refuses any without it.")
