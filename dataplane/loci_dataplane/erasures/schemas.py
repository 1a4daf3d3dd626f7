"""Erasures as they are asked for and answered."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal, Self

from pydantic import BaseModel, Field

from loci_contract.inputs import Input
from loci_dataplane.memories.schemas import Name
from loci_dataplane.model.erasure import Erasure


class ErasureInput(Input):
    """The memories to erase: those that match every given field."""

    user_id: Name | None = Field(None, description="Everything about this user.")
    filters: dict[str, Any] = Field(default_factory=dict, description="A filter in the language of searches.")

    def document(self) -> dict[str, Any]:
        """The request as one filter."""
        return {
            **({"user_id": self.user_id} if self.user_id else {}),
            **({"AND": [self.filters]} if self.filters else {}),
        }


class ErasureOutput(BaseModel):
    """An erasure."""

    id: str
    status: Literal["running", "complete"]
    requested_at: datetime
    removed: dict[str, int] = Field(description="Rows removed so far, by kind.")
    receipt: dict[str, Any] | None = Field(description="The receipt; null until the erasure is complete.")

    @classmethod
    def of(cls, erasure: Erasure) -> Self:
        """The representation of an erasure."""
        receipt = dict(erasure.receipt) if erasure.receipt else None
        return cls(
            id=erasure.id,
            status="complete" if receipt else "running",
            requested_at=erasure.requested_at,
            removed=dict(receipt["removed"] if receipt else erasure.removed),
            receipt=receipt,
        )
