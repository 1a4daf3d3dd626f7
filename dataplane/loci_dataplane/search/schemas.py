"""Requests and responses of a search."""

from __future__ import annotations

from typing import Annotated, Any, Final, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    Field,
    StringConstraints,
    WithJsonSchema,
    model_validator,
)

from loci_contract.inputs import Input
from loci_dataplane.memories.schemas import MemoryOutput
from loci_dataplane.model import values
from loci_dataplane.search.retrievers import NAMES

QUERY_MAX: Final = 8_192

HYBRID: Final = "hybrid"
"""The mode in which all retrievers take part; in the others one does."""
MODES: Final = (HYBRID, *NAMES)


def _is_not_blank(query: str) -> str:
    if values.is_blank(query):
        raise ValueError("must not be blank")
    return query


def _is_mode(mode: str) -> str:
    if mode not in MODES:
        raise ValueError(f"must be one of {', '.join(MODES)}")
    return mode


Mode = Annotated[str, AfterValidator(_is_mode), WithJsonSchema({"type": "string", "enum": list(MODES)})]
Query = Annotated[str, StringConstraints(max_length=QUERY_MAX), AfterValidator(_is_not_blank)]


class SearchInput(Input):
    """A search."""

    query: Query = Field(description=f"A question or some words: 1 to {QUERY_MAX} characters, all of which are used.")
    limit: int = Field(10, ge=1, le=100, description="Maximum number of results.")
    top_k: int | None = Field(None, ge=1, le=100, description="Another name for `limit`.")
    filters: dict[str, Any] = Field(default_factory=dict, description="Fields and comparisons, AND, OR, NOT.")
    threshold: float = Field(0.0, ge=0, le=1, description="Minimum score of a result.")
    mode: Mode = Field(HYBRID, description="The retrievers that take part.")
    spread: bool = Field(
        True,
        description="Whether a memory gains from its neighbours in the session. In mode hybrid this may add results "
        "that no retriever found; in other modes it only changes the order.",
    )
    explain: bool = Field(False, description="Whether to return each retriever's rank and score.")

    @model_validator(mode="after")
    def _take_top_k_as_limit(self) -> Self:
        if self.top_k is not None:
            if "limit" in self.model_fields_set:
                raise ValueError("limit and top_k are two names of one field; give only one of them")
            self.limit, self.top_k = self.top_k, None
        return self


class SearchResult(MemoryOutput):
    """A memory that was found."""

    score: float = Field(description="Estimated relevance, 0 to 1, comparable between answers.")
    explanation: dict[str, Any] | None = None


class SearchOutput(BaseModel):
    """The results, best first."""

    results: list[SearchResult]
    degraded: list[str] = Field(description="Retrievers that failed or were late, and so took no part.")
    pending: int = Field(0, description="Memories that have no vector yet, and so may be missing from the results.")
