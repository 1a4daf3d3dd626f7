from __future__ import annotations

from typing import Any

import pytest

from loci_dataplane.model.filter import AllOf, AnyOf, Condition, Not, parse
from loci_runtime.errors import InvalidError


def test_a_plain_value_means_equality() -> None:
    assert parse({"user_id": "ada"}) == AllOf((Condition("user_id", "eq", "ada"),))


def test_comparisons_of_a_field_hold_together() -> None:
    parsed = parse({"metadata.year": {"gte": 2020, "lt": 2030}})
    assert parsed == AllOf((Condition("metadata.year", "gte", 2020), Condition("metadata.year", "lt", 2030)))


def test_and_or_not_nest() -> None:
    ada, bob = AllOf((Condition("user_id", "eq", "ada"),)), AllOf((Condition("user_id", "eq", "bob"),))
    document = {"OR": [{"user_id": "ada"}, {"NOT": {"user_id": "bob"}}]}
    assert parse(document) == AllOf((AnyOf((ada, AllOf((Not(bob),)))),))


def test_times_are_compared_in_utc() -> None:
    parsed = parse({"created_at": {"gt": "2026-01-31T14:00:00+02:00"}})
    assert parsed == AllOf((Condition("created_at", "gt", "2026-01-31T12:00:00.000000Z"),))


def deep(inner: dict[str, Any]) -> dict[str, Any]:
    for _ in range(8):
        inner = {"AND": [inner]}
    return inner


def nested(depth: int) -> dict[str, Any]:
    return {"NOT": nested(depth - 1)} if depth else {"user_id": "ada"}


INVALID: dict[str, tuple[dict[str, Any], str]] = {
    "unknown field": ({"colour": "red"}, "body.filters.colour"),
    "a key that is no plain word": ({'metadata.a"b': 1}, 'body.filters.metadata.a"b'),
    "unknown operator": ({"user_id": {"like": "a%"}}, "body.filters.user_id.like"),
    "AND without a list": ({"AND": {"user_id": "ada"}}, "body.filters.AND"),
    "OR of no filters": ({"OR": ["ada"]}, "body.filters.OR.0"),
    "in without a list": ({"user_id": {"in": "ada"}}, "body.filters.user_id.in"),
    "a number for a text": ({"user_id": 7}, "body.filters.user_id"),
    "a list as a value": ({"metadata.a": [1]}, "body.filters.metadata.a"),
    "true compared by size": ({"metadata.a": {"gt": True}}, "body.filters.metadata.a.gt"),
    "time without a zone": ({"created_at": {"gt": "2026-01-31"}}, "body.filters.created_at.gt"),
    "time out of range": ({"created_at": "0001-01-01T00:00:00+01:00"}, "body.filters.created_at"),
    "a number of 65 bits": ({"metadata.a": 2**64}, "body.filters.metadata.a"),
    "not a number": ({"metadata.a": float("nan")}, "body.filters.metadata.a"),
    "half a surrogate pair": ({"metadata.a": "\ud800"}, "body.filters.metadata.a"),
    "too deep": (nested(9), "body.filters" + ".NOT" * 9),
    "too many": ({"OR": [{"user_id": "ada"}] * 129}, "body.filters"),
    "too many that say nothing": ({"OR": [{}] * 257}, "body.filters"),
    "too many values": ({"user_id": {"in": ["ada"] * 256}}, "body.filters"),
    "too many values at the greatest depth": (deep({"user_id": {"in": ["ada"] * 300}}), "body.filters"),
    "a field that is no text": ({"\ud800": 1}, "body.filters"),
    "an operator that is no text": ({"user_id": {"\ud800": 1}}, "body.filters.user_id"),
}


@pytest.mark.parametrize(("document", "field"), INVALID.values(), ids=INVALID.keys())
def test_an_invalid_filter_names_its_field(document: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidError) as refused:
        parse(document)
    assert refused.value.status == 422
    assert [entry["field"] for entry in refused.value.more["fields"]] == [field]


def test_the_least_number_of_64_bits_is_one() -> None:
    assert parse({"metadata.a": -(2**63)}) == AllOf((Condition("metadata.a", "eq", -(2**63)),))
