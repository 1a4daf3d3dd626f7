"""Request models: null is as if left out, and an unknown field is named with the one that was probably meant."""

from __future__ import annotations

import itertools
from typing import Any, Final

import pytest
from pydantic import Field, ValidationError

from loci_admin.keys.schemas import KeyInput, RotationInput
from loci_admin.tenants.schemas import LimitsInput, LimitsPatch, TenantInput, TenantPatch
from loci_contract.inputs import Input, Patch
from loci_dataplane.conversations.schemas import ContextInput, ConversationInput, ExplainedSearchInput, Message
from loci_dataplane.erasures.schemas import ErasureInput
from loci_dataplane.graph.schemas import EntitiesQuery, FactsQuery, NeighborsQuery
from loci_dataplane.memories.batch import BatchInput
from loci_dataplane.memories.schemas import (
    DeletionInput,
    MemoryInput,
    MemoryPatch,
    MessageInput,
    PageQuery,
    ReplacementInput,
    ScopeQuery,
)
from loci_dataplane.search.schemas import SearchInput
from loci_embedder.app import EmbeddingRequest

SMALLEST: Final[dict[type[Input], dict[str, Any]]] = {
    MessageInput: {"role": "user", "content": "an otter"},
    ReplacementInput: {"content": "an otter"},
    MemoryInput: {"content": "an otter"},
    PageQuery: {},
    ScopeQuery: {},
    DeletionInput: {},
    ErasureInput: {},
    BatchInput: {"memories": [{"content": "an otter"}]},
    SearchInput: {"query": "an otter"},
    ExplainedSearchInput: {"query": "an otter"},
    ContextInput: {"query": "an otter"},
    Message: {"role": "user", "content": "an otter"},
    ConversationInput: {"messages": [{"role": "user", "content": "an otter"}]},
    FactsQuery: {},
    EntitiesQuery: {},
    NeighborsQuery: {"entity": "otter"},
    TenantInput: {"name": "acme", "tier": "free"},
    LimitsInput: {},
    KeyInput: {"name": "ci"},
    RotationInput: {},
    EmbeddingRequest: {"input": "an otter"},
}
PATCHES: Final = {MemoryPatch, TenantPatch, LimitsPatch}


def below(model: type[Input]) -> set[type[Input]]:
    return {model}.union(*map(below, model.__subclasses__()))


def optional(model: type[Input]) -> list[str]:
    """Fields that may be left out; `content` may for messages alone."""
    needed = SMALLEST.get(model, {})
    return [name for name, field in model.model_fields.items() if not field.is_required() and name not in needed]


def test_every_request_model_is_tried_here() -> None:
    shipped = {model for model in below(Input) if model.__module__.startswith("loci_")}
    assert shipped - {Input, Patch} == SMALLEST.keys() | PATCHES


@pytest.mark.parametrize("model", SMALLEST, ids=lambda model: model.__name__)
def test_null_in_any_optional_fields_is_as_if_they_were_left_out(model: type[Input]) -> None:
    smallest = SMALLEST[model]
    for size in (1, len(optional(model))):
        for names in itertools.combinations(optional(model), size):
            read = model.model_validate({**smallest, **dict.fromkeys(names)})
            assert read == model.model_validate(smallest)
            assert read.model_fields_set == smallest.keys()


@pytest.mark.parametrize("model", SMALLEST, ids=lambda model: model.__name__)
def test_null_in_a_required_field_is_an_error_that_names_it(model: type[Input]) -> None:
    for name in SMALLEST[model]:
        with pytest.raises(ValidationError) as refused:
            model.model_validate({**SMALLEST[model], name: None})
        assert {error["loc"][0] for error in refused.value.errors()} == {name}


@pytest.mark.parametrize("model", SMALLEST, ids=lambda model: model.__name__)
def test_the_schema_says_where_null_may_stand(model: type[Input]) -> None:
    schema = model.model_json_schema()
    for name, field in schema["properties"].items():
        assert ({"type": "null"} in field.get("anyOf", [])) == (name not in schema.get("required", ())), name


def test_null_is_left_out_under_either_name_of_a_field() -> None:
    assert SearchInput.model_validate({"query": "a", "top_k": None, "limit": None}).limit == 10
    assert SearchInput.model_validate({"query": "a", "top_k": None, "limit": 3}).limit == 3


def test_null_in_a_nested_object_is_as_if_left_out() -> None:
    read = TenantInput.model_validate({"name": "a", "tier": "free", "limits": {"burst": None, "max_memories": 3}})
    assert read.limits.model_dump(exclude_unset=True) == {"max_memories": 3}


@pytest.mark.parametrize("field", ["user_id", "agent_id", "session_id", "expires_at"])
def test_null_in_a_patch_of_a_memory_clears_what_may_be_empty(field: str) -> None:
    assert MemoryPatch.model_validate({field: None}).changes() == {field: None}


def test_null_clears_metadata_and_display_name_and_limits() -> None:
    assert MemoryPatch.model_validate({"metadata": None}).changes() == {"metadata": {}}
    assert MemoryPatch.model_validate({}).changes() == {}
    patch = TenantPatch.model_validate({"display_name": None, "limits": {"burst": None}})
    assert patch.model_dump(exclude_unset=True) == {"display_name": None, "limits": {"burst": None}}


def test_a_patch_of_content_to_null_is_an_error() -> None:
    with pytest.raises(ValidationError) as refused:
        MemoryPatch.model_validate({"content": None})
    assert refused.value.errors()[0]["loc"] == ("content",)


SUGGESTED: dict[str, tuple[type[Input], str, str]] = {
    "user": (MemoryInput, "user", "user_id"),
    "userId": (MemoryInput, "userId", "user_id"),
    "User-ID": (PageQuery, "User-ID", "user_id"),
    "conversation_id": (MemoryInput, "conversation_id", "session_id"),
    "thread_id": (PageQuery, "thread_id", "session_id"),
    "text": (MemoryInput, "text", "content"),
    "meta_data": (MemoryInput, "meta_data", "metadata"),
    "expire_at": (MemoryPatch, "expire_at", "expires_at"),
    "filter": (SearchInput, "filter", "filters"),
    "user_id": (SearchInput, "user_id", "filters"),
    "topk": (SearchInput, "topk", "top_k"),
    "limits": (PageQuery, "limits", "limit"),
    "next_cursor": (PageQuery, "next_cursor", "cursor"),
    "displayName": (TenantInput, "displayName", "display_name"),
    "scope": (KeyInput, "scope", "scopes"),
}


@pytest.mark.parametrize(("model", "name", "meant"), SUGGESTED.values(), ids=SUGGESTED.keys())
def test_an_unknown_field_is_named_with_the_one_that_was_meant(model: type[Input], name: str, meant: str) -> None:
    with pytest.raises(ValidationError) as refused:
        model.model_validate({**SMALLEST.get(model, {}), name: None})
    (error,) = refused.value.errors()
    assert error["loc"] == (name,)
    assert f"Did you mean {meant}?" in error["msg"]


def test_an_unknown_field_unlike_any_lists_those_that_exist() -> None:
    with pytest.raises(ValidationError) as refused:
        LimitsInput.model_validate({"colour": 1})
    message = "is not known here. Use requests_per_minute, burst, max_memories, max_graph_nodes."
    assert refused.value.errors()[0]["msg"] == message


def test_every_problem_is_told_not_the_unknown_field_alone() -> None:
    with pytest.raises(ValidationError) as refused:
        MemoryInput.model_validate({"colour": 1, "user_id": 7, "metadata": {"a": float("nan")}, "created_at": "now"})
    found = {error["loc"]: error["msg"] for error in refused.value.errors()}
    assert found.keys() == {("colour",), ("content",), ("user_id",), ("metadata",), ("created_at",)}
    assert found["user_id",] == "Input should be a valid string"


def test_a_field_that_the_embedder_does_not_know_is_ignored_as_openai_clients_expect() -> None:
    EmbeddingRequest.model_validate({"input": "a", "dimensions": None, "user": "ada", "model": None})


class Shaped(Input):
    """A model whose schema has every form."""

    needed: int
    bare: int = Field(1, description="A number.")
    either: int | str = Field(1)
    empty: int | None = None


def test_the_schema_adds_null_to_every_form_of_a_field() -> None:
    properties = Shaped.model_json_schema()["properties"]
    assert properties["needed"] == {"title": "Needed", "type": "integer"}
    assert properties["bare"] == {
        "anyOf": [{"type": "integer"}, {"type": "null"}],
        "default": 1,
        "description": "A number.",
        "title": "Bare",
    }
    assert properties["either"]["anyOf"] == [{"type": "integer"}, {"type": "string"}, {"type": "null"}]
    assert properties["empty"]["anyOf"] == [{"type": "integer"}, {"type": "null"}]
