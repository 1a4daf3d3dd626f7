"""Request and response bodies of the key endpoints."""

from __future__ import annotations

from typing import Annotated

from pydantic import AwareDatetime, BaseModel, Field, StringConstraints

from loci_contract.inputs import Input
from loci_contract.registry import Scope
from loci_contract.times import Time

Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", max_length=63)]


class KeyInput(Input):
    """A key to create."""

    name: Name = Field(description="Name of the key, unique within the tenant.")
    scopes: set[Scope] = Field(default_factory=lambda: set(Scope), min_length=1, description="Scopes of the key.")
    expires_at: Time | None = Field(None, description="Expiry time. By default the key never expires.")


class KeyOutput(BaseModel):
    """An API key without its secret; `id` is null until the operator has generated the key."""

    name: str
    id: str | None
    scopes: list[Scope]
    expires_at: AwareDatetime | None


class CreatedKey(KeyOutput):
    """A new API key. The secret is not stored and cannot be shown again."""

    api_key: str


class KeyList(BaseModel):
    """API keys of a tenant."""

    keys: list[KeyOutput]
