from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loci_dataplane.model.filter import AllOf, AnyOf, Condition, Not, parse
from loci_dataplane.model.paths import Path, parse_path, spelled
from loci_runtime.errors import InvalidError


def test_a_plain_value_means_equality() -> None:
    assert parse({"user_id": "ada"}) == AllOf((Condition("user_id", "eq", "ada"),))


def test_comparisons_of_a_field_hold_together() -> None:
    parsed = parse({"metadata.year": {"gte": 2020, "lt": 2030}})
    year = Path(("year",))
    assert parsed == AllOf((Condition(year, "gte", 2020), Condition(year, "lt", 2030)))


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
    "an open quote": ({'metadata."a': 1}, 'body.filters.metadata."a'),
    "something after a quoted key": ({'metadata."a"b': 1}, 'body.filters.metadata."a"b'),
    "an escape that JSON does not know": ({r'metadata."\q"': 1}, r'body.filters.metadata."\q"'),
    "half a surrogate pair in a quoted key": ({r'metadata."\ud800"': 1}, r'body.filters.metadata."\ud800"'),
    "an empty key": ({"metadata.": 1}, "body.filters.metadata."),
    "an empty key between others": ({"metadata.a..b": 1}, "body.filters.metadata.a..b"),
    "33 keys": ({"metadata" + ".a" * 33: 1}, "body.filters.metadata" + ".a" * 33),
    "metadata as a whole": ({"metadata": {"year": 2020}}, "body.filters.metadata"),
    "more than 1,024 keys": ({"OR": [{"metadata" + ".a" * 32: 1}] * 33}, "body.filters"),
    "no comparison": ({"user_id": {}}, "body.filters.user_id"),
    "unknown operator": ({"user_id": {"like": "a%"}}, "body.filters.user_id.like"),
    "AND without a list": ({"AND": {"user_id": "ada"}}, "body.filters.AND"),
    "OR of no filters": ({"OR": ["ada"]}, "body.filters.OR.0"),
    "in without a list": ({"user_id": {"in": "ada"}}, "body.filters.user_id.in"),
    "a number for a text": ({"user_id": 7}, "body.filters.user_id"),
    "a list as a value": ({"metadata.a": [1]}, "body.filters.metadata.a"),
    "true compared by size": ({"metadata.a": {"gt": True}}, "body.filters.metadata.a.gt"),
    "time without a zone": ({"created_at": {"gt": "2026-01-31"}}, "body.filters.created_at.gt"),
    "Unix seconds": ({"created_at": 1_769_860_800}, "body.filters.created_at"),
    "a time without a value": ({"created_at": None}, "body.filters.created_at"),
    "a time that is contained": ({"created_at": {"contains": "2026"}}, "body.filters.created_at.contains"),
    "one time of several": ({"created_at": {"in": ["2026-01-31T12:00:00Z", 0]}}, "body.filters.created_at.in"),
    "null compared by size": ({"expires_at": {"gt": None}}, "body.filters.expires_at.gt"),
    "NUL": ({"metadata.a": "\x00"}, "body.filters.metadata.a"),
    "a number below 64 bits": ({"metadata.a": -(2**63) - 1}, "body.filters.metadata.a"),
    "a number of 64 bits without a sign": ({"metadata.a": 2**63}, "body.filters.metadata.a"),
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
    assert parse({"metadata.a": -(2**63)}) == AllOf((Condition(Path(("a",)), "eq", -(2**63)),))


PATHS: dict[str, Path] = {
    "year": Path(("year",)),
    "größe": Path(("größe",)),
    "first name": Path(("first name",)),
    "a-b_c": Path(("a-b_c",)),
    "app.version": Path(("app", "version"), whole="app.version"),
    '"app.version"': Path(("app.version",)),
    'app."x.y".z': Path(("app", "x.y", "z")),
    'a"b': Path(('a"b',)),
    r'"\"a\""': Path(('"a"',)),
    '""': Path(("",)),
    'a.""': Path(("a", "")),
    r"back\slash": Path((r"back\slash",)),
    r'"back\\slash"': Path((r"back\slash",)),
    r'"\u00e9"': Path(("é",)),
    "tags.0": Path(("tags", "0"), whole="tags.0"),
    "a'); DROP TABLE memories; --": Path(("a'); DROP TABLE memories; --",)),
}


@pytest.mark.parametrize(("text", "path"), PATHS.items(), ids=PATHS.keys())
def test_paths_have_keys_between_dots_and_quotes_around_any(text: str, path: Path) -> None:
    assert parse({f"metadata.{text}": 1}) == AllOf((Condition(path, "eq", 1),))


@given(st.lists(st.text(), min_size=1, max_size=5).map(tuple))
def test_every_list_of_keys_has_a_spelling(keys: tuple[str, ...]) -> None:
    assert parse_path(spelled(keys)).keys == keys


HINTS: dict[str, tuple[dict[str, Any], str]] = {
    "a field of another service": ({"run_id": "a"}, "Did you mean session_id?"),
    "a misspelt field": ({"userid": "a"}, "Did you mean user_id?"),
    "a lower-case word": ({"or": []}, "Did you mean OR?"),
    "a dollar": ({"$and": []}, "Did you mean AND?"),
    "an operator with a dollar": ({"user_id": {"$gte": "a"}}, "Did you mean gte?"),
    "an operator of another service": ({"user_id": {"icontains": "a"}}, "Did you mean contains?"),
    "metadata without a key": ({"metadata": {"a": 1}}, "Did you mean metadata.<key>?"),
    "a list as a value": ({"metadata.a": [1]}, "an item of a list is found by contains"),
    "an empty key": ({"metadata.": 1}, 'write it as ""'),
    "a large number": ({"metadata.a": 2**63}, "send a larger one as a string"),
    "a number for an id": ({"user_id": 7}, "must be a string or null"),
    "a date alone": ({"created_at": "2026-01-31"}, "such as 2026-01-31T12:00:00Z"),
}


@pytest.mark.parametrize(("document", "hint"), HINTS.values(), ids=HINTS.keys())
def test_an_error_tells_the_fix(document: dict[str, Any], hint: str) -> None:
    with pytest.raises(InvalidError) as refused:
        parse(document)
    assert hint in refused.value.message


def test_an_expiry_may_be_missing() -> None:
    assert parse({"expires_at": None}) == AllOf((Condition("expires_at", "eq", None),))
