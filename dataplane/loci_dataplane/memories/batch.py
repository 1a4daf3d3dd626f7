"""`POST /v1/memories/batch`: many memories in one request, each with its own status.

Every item is checked on its own; the valid ones are stored in one transaction, so that after a crash all or none of
them are there, and their vectors are made together.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Final, Self

from pydantic import BaseModel, Field, PlainValidator, ValidationError

from loci_contract.errors import ErrorCode, FieldError
from loci_contract.inputs import Input
from loci_dataplane.memories.schemas import MemoryInput, MemoryOutput
from loci_dataplane.model.memory import Memory
from loci_runtime.errors import HttpError, InvalidError

ITEMS_MAX: Final = 256


def _as_sent(item: Any) -> Any:
    """Leave an item to `checked`, so that an invalid one does not refuse the others."""
    return item


Item = Annotated[Any, PlainValidator(_as_sent, json_schema_input_type=MemoryInput)]


class BatchInput(Input):
    """Memories to store."""

    memories: list[Item] = Field(
        min_length=1,
        max_length=ITEMS_MAX,
        description=f"1 to {ITEMS_MAX} memories, each as `POST /v1/memories` takes it.",
    )


class ItemError(BaseModel):
    """The reason why an item was not stored, as the error of a request for it alone would say it."""

    error: ErrorCode
    message: str
    fields: list[FieldError] | None = None


class BatchItem(BaseModel):
    """Result of one item: `status` is 201 with the memory, or the status of the error."""

    status: int
    memory: MemoryOutput | None = None
    error: ItemError | None = None

    @classmethod
    def of(cls, result: Memory | HttpError) -> Self:
        """The representation of a stored memory or of a refusal."""
        if isinstance(result, Memory):
            return cls(status=201, memory=MemoryOutput.of(result))
        fields = result.more.get("fields")
        return cls(status=result.status, error=ItemError(error=result.code, message=result.message, fields=fields))


class BatchOutput(BaseModel):
    """The results, in the order of the items."""

    stored: int = Field(description="Number of items that were stored.")
    results: list[BatchItem]


def checked(items: Sequence[Any]) -> Iterator[MemoryInput | HttpError]:
    """Each item as a memory to store, or the reason why it is none."""
    for index, item in enumerate(items):
        try:
            yield MemoryInput.model_validate(item)
        except ValidationError as error:
            yield _refusal(error, f"body.memories.{index}")


def _refusal(error: ValidationError, where: str) -> InvalidError:
    fields = [
        {
            "field": ".".join(map(str, (where, *entry["loc"]))),
            "message": entry["msg"].removeprefix("Value error, "),
        }
        for entry in error.errors(include_input=False, include_url=False)
    ]
    refusal = InvalidError("; ".join(f"{field['field']}: {field['message']}" for field in fields[:3]))
    refusal.more = {"fields": fields}
    return refusal
