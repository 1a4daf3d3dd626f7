"""Request and response bodies of the key endpoints."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Final

from pydantic import AwareDatetime, BaseModel, BeforeValidator, Field, StringConstraints, WithJsonSchema

from loci_contract.inputs import Input
from loci_contract.registry import Scope
from loci_contract.times import Time

Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", max_length=63)]

_DURATION: Final = re.compile(r"(\d{1,7})([smhd])")
_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_OVERLAP_MAX: Final = timedelta(days=90)


def _overlap(value: object) -> object:
    if isinstance(value, timedelta):
        return value
    match = _DURATION.fullmatch(value) if isinstance(value, str) else None
    overlap = timedelta(**{_UNITS[match[2]]: int(match[1])}) if match else None
    if overlap is None or overlap > _OVERLAP_MAX:
        raise ValueError("must be a duration such as 90s, 30m, 24h or 7d, at most 90d")
    return overlap


Overlap = Annotated[timedelta, BeforeValidator(_overlap), WithJsonSchema({"type": "string", "example": "24h"})]
"""A duration as a number and a unit: s, m, h or d."""


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


class RotationInput(Input):
    """How a key is replaced."""

    overlap: Overlap = Field(
        timedelta(hours=24), description="How long the replaced key stays valid: 90s, 30m, 24h (default), 7d; 0s: not."
    )
    expires_at: Time | None = Field(
        None, description="Expiry time of the new key. By default that of the replaced one."
    )


class RotatedKey(CreatedKey):
    """The new key, and the one that it replaced, which expires; `previous` is null without an overlap."""

    previous: KeyOutput | None


class KeyList(BaseModel):
    """API keys of a tenant."""

    keys: list[KeyOutput]
