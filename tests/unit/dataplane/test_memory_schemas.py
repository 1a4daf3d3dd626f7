from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from loci_dataplane.memories.schemas import CONTENT_MAX, MemoryInput, MemoryPatch
from loci_dataplane.model.filter import parse
from loci_dataplane.model.memory import new_id, timestamp
from loci_dataplane.search.schemas import SearchInput
from loci_runtime.errors import InvalidError


def deep(levels: int) -> dict[str, Any]:
    return {"a": deep(levels - 1)} if levels else {}


REFUSED: dict[str, dict[str, Any]] = {
    "content": {"content": ""},
    "content blank": {"content": " \n\t"},
    "content with NUL": {"content": "a\x00b"},
    "content too long": {"content": "x" * (CONTENT_MAX + 1)},
    "content not text": {"content": 7},
    "colour": {"content": "a", "colour": "red"},
    "user_id": {"content": "a", "user_id": ""},
    "session_id with NUL": {"content": "a", "session_id": "\x00"},
    "metadata list": {"content": "a", "metadata": []},
    "metadata not a number": {"content": "a", "metadata": {"a": float("nan")}},
    "metadata infinite": {"content": "a", "metadata": {"a": [float("inf")]}},
    "agent_id blank": {"content": "a", "agent_id": " \u200b"},
    "content of characters that show nothing": {"content": "\ufeff\u200b \x07"},
    "metadata of 64 bits without a sign": {"content": "a", "metadata": {"a": [{"b": 2**63}]}},
    "created_at as an integer": {"content": "a", "created_at": 20_260_131},
    "expires_at in Unix seconds": {"content": "a", "expires_at": 4_102_444_800.5},
    "metadata of 65 bits": {"content": "a", "metadata": {"a": 2**64}},
    "metadata with NUL": {"content": "a", "metadata": {"a": "\\\x00"}},
    "metadata half a pair": {"content": "a", "metadata": {"\ud800": 1}},
    "metadata too large": {"content": "a", "metadata": {"a": "x" * 16_384}},
    "metadata too deep": {"content": "a", "metadata": deep(32)},
    "metadata far too deep": {"content": "a", "metadata": deep(500)},
    "created_at without a zone": {"content": "a", "created_at": "2026-01-31T12:00:00"},
    "created_at before year 1": {"content": "a", "created_at": "0001-01-01T00:00:00+01:00"},
    "expires_at after year 9999": {"content": "a", "expires_at": "9999-12-31T23:59:59-01:00"},
}


@pytest.mark.parametrize(("field", "document"), REFUSED.items(), ids=REFUSED.keys())
def test_refuses_what_could_not_be_kept_and_names_the_field(field: str, document: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as refused:
        MemoryInput.model_validate(document)
    assert refused.value.errors()[0]["loc"][0] == field.split(maxsplit=1)[0]


def test_accepts_what_looks_like_nul_but_is_none() -> None:
    MemoryInput.model_validate({"content": "a", "metadata": {"a": "\\u0000", "b": [1, 2.5, None, True, {"c": "é"}]}})


@pytest.mark.parametrize("value", [2**63, -(2**63) - 1, 2**64, "a\x00", "\ud800", float("inf")], ids=repr)
def test_a_value_that_cannot_be_stored_cannot_be_filtered_by_for_the_same_reason(value: Any) -> None:
    with pytest.raises(ValidationError) as stored:
        MemoryInput.model_validate({"content": "a", "metadata": {"app.v": [value]}})
    with pytest.raises(InvalidError) as filtered:
        parse({"metadata.app": value})
    reason = filtered.value.message.removeprefix("body.filters.metadata.app: ")
    assert stored.value.errors()[0]["msg"] == f'Value error, the value at "app.v".0 {reason}'


def test_accepts_the_longest_content() -> None:
    assert len(MemoryInput(content="é" * CONTENT_MAX).content) == CONTENT_MAX


def test_a_patch_distinguishes_null_from_left_out() -> None:
    assert MemoryPatch.model_validate({"user_id": None}).changes() == {"user_id": None}


def test_a_search_takes_top_k_for_limit() -> None:
    assert SearchInput.model_validate({"query": "a", "top_k": 3}).limit == 3


@pytest.mark.parametrize("document", [{"query": " "}, {"query": "a", "limit": 0}, {"query": "a", "mode": "dream"}])
def test_a_search_is_checked(document: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        SearchInput.model_validate(document)


def test_ids_are_unlike_and_say_what_they_are() -> None:
    ids = {new_id() for _ in range(1_000)}
    assert len(ids) == 1_000
    assert all(one.startswith("mem_") and len(one) == 30 for one in ids)


moments = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(timezone(timedelta(hours=5))))  # noqa: DTZ001 - bounds


@given(moments, moments)
def test_timestamps_sort_like_the_moments_and_read_back(one: datetime, other: datetime) -> None:
    assert (timestamp(one) < timestamp(other)) == (one < other)
    assert datetime.fromisoformat(timestamp(one)) == one
    assert datetime.fromisoformat(timestamp(one)).tzinfo == UTC
