"""Keys as they are sent and received."""

from __future__ import annotations

from typing import Annotated

from pydantic import AwareDatetime, BaseModel, Field, StringConstraints

from loci_contract.inputs import Input
from loci_contract.registry import Scope
from loci_contract.times import Time

Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", max_length=63)]


class KeyInput(Input):
    """A key to create."""

    name: Name = Field(description="Names the key within the tenant.")
    scopes: set[Scope] = Field(default_factory=lambda: set(Scope), min_length=1, description="What it may do.")
    expires_at: Time | None = Field(None, description="From when it is refused; never by default.")


class KeyOutput(BaseModel):
    """A key, without its secret; `id` is null for one that the operator has yet to make."""

    name: str
    id: str | None
    scopes: list[Scope]
    expires_at: AwareDatetime | None


class CreatedKey(KeyOutput):
    """A new key, shown this once and kept by nobody."""

    api_key: str


class KeyList(BaseModel):
    """A tenant's keys."""

    keys: list[KeyOutput]
