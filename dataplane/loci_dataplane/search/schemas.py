"""Searches as they are sent and answered."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

from pydantic import AliasChoices, BaseModel, Field, StringConstraints

from loci_contract.inputs import Input
from loci_dataplane.memories.schemas import MemoryOutput


class Mode(StrEnum):
    """Which retrievers take part."""

    HYBRID = "hybrid"
    VECTOR = "vector"
    KEYWORD = "keyword"


class SearchInput(Input):
    """A search."""

    query: Annotated[str, StringConstraints(min_length=1, max_length=4_096, strip_whitespace=True)] = Field(
        description="A question or some words."
    )
    limit: int = Field(
        10, ge=1, le=100, validation_alias=AliasChoices("limit", "top_k"), description="Results at most; also `top_k`."
    )
    filters: dict[str, Any] = Field(default_factory=dict, description="Fields and comparisons, AND, OR, NOT.")
    threshold: float = Field(0.0, ge=0, le=1, description="Least score of a result.")
    mode: Mode = Field(Mode.HYBRID, description="Which retrievers take part.")
    explain: bool = Field(False, description="Also tell each retriever's rank and score.")


class SearchResult(MemoryOutput):
    """A memory and how well it fits: 0 to 1, comparable within one answer only."""

    score: float
    explanation: dict[str, Any] | None = None


class SearchOutput(BaseModel):
    """What was found, best first."""

    results: list[SearchResult]
    degraded: list[str] = Field(description="Retrievers that failed or were late, and so took no part.")
    pending: int = Field(0, description="Memories that have no vector yet, and so may be missing from the results.")
