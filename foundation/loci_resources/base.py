"""Base model and field types shared by the resource models."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema
from pydantic.alias_generators import to_camel

from loci_contract.times import Time

Quantity = Annotated[str, Field(pattern=r"^[0-9]+(\.[0-9]+)?(m|k|[MGTPE]|[KMGTPE]i)?$", max_length=32)]
"""A Kubernetes quantity, such as 100m, 0.5 or 2Gi."""

Size = Annotated[str, Field(pattern=r"^[0-9]+(\.[0-9]+)?(k|[MGTPE]|[KMGTPE]i)?$", max_length=32)]
"""A quantity of bytes, such as 10Gi."""

# The API server's own `date-time` format also accepts offsets of a hundred hours, the year 0000 and trailing text.
# Year 9999 is commonly used for "never"; it is accepted in UTC only, because an offset could overflow datetime.
_DAY_AND_TIME = r"-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,9})?"
_YEAR = r"([1-8][0-9]{3}|9[0-8][0-9]{2}|99[0-8][0-9]|999[0-8])"
_OFFSET = r"(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])"
_RFC3339 = rf"^({_YEAR}{_DAY_AND_TIME}{_OFFSET}|9999{_DAY_AND_TIME}Z)$"
Timestamp = Annotated[Time, WithJsonSchema({"type": "string", "format": "date-time", "pattern": _RFC3339})]
"""An RFC 3339 date and time with an offset, such as 2030-01-01T00:00:00Z."""


_OCTET = r"(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
Cidr = Annotated[str, Field(pattern=rf"^{_OCTET}(\.{_OCTET}){{3}}/(3[0-2]|[12]?[0-9])$", max_length=18)]
"""An IPv4 network, such as 10.1.0.0/16."""

LabelName = Annotated[str, Field(pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", max_length=63)]
"""A name that is valid as a label's value and as an object's name."""


class Model(BaseModel):
    """Base of all resource models: snake_case in Python, camelCase in documents; unknown fields are ignored."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True, extra="ignore")

    def document(self) -> dict[str, Any]:
        """JSON-serialisable Kubernetes document without unset fields."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


class ObjectMeta(Model):
    """The object metadata fields that Loci uses."""

    name: str
    uid: str = ""
    generation: int = 0
    annotations: dict[str, str] = Field(default_factory=dict)
    finalizers: tuple[str, ...] = Field((), exclude=True)
    deletion_timestamp: datetime | None = None


class Requests(Model):
    """Amounts of CPU and memory."""

    cpu: Quantity | None = Field(None, description="CPU cores, such as 100m or 2.")
    memory: Quantity | None = Field(None, description="Memory, such as 256Mi.")


class Resources(Model):
    """Compute requests and limits of a container."""

    requests: Requests = Field(default_factory=Requests, description="Compute reserved for the pod.")
    limits: Requests = Field(default_factory=Requests, description="Maximum compute the pod may use.")
