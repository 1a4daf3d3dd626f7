"""What all resource models share."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

Quantity = Annotated[str, Field(pattern=r"^[0-9]+(\.[0-9]+)?(m|k|[MGTPE]|[KMGTPE]i)?$", max_length=32)]
"""A Kubernetes quantity, such as 100m, 0.5 or 2Gi."""


class Model(BaseModel):
    """Python names here, Kubernetes' camelCase names in documents; unknown fields are ignored when read."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True, extra="ignore")

    def document(self) -> dict[str, Any]:
        """As JSON-ready Kubernetes fields, without those that are unset."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


class ObjectMeta(Model):
    """The part of an object's metadata that matters here."""

    name: str
    uid: str = ""
    generation: int = 0
    annotations: dict[str, str] = Field(default_factory=dict)
    deletion_timestamp: datetime | None = None


class Requests(Model):
    """Compute that is set aside, or the most that may be used."""

    cpu: Quantity | None = Field(None, description="CPU cores, such as 100m or 2.")
    memory: Quantity | None = Field(None, description="Memory, such as 256Mi.")


class Resources(Model):
    """A container's compute."""

    requests: Requests = Field(default_factory=Requests, description="Set aside for the pod.")
    limits: Requests = Field(default_factory=Requests, description="The most that the pod may use.")
