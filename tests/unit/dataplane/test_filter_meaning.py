"""What a filter means in SQLite is what a plain reading in Python says."""

from __future__ import annotations

import itertools
import json
import operator
import sqlite3
from collections.abc import Callable, Iterator
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loci_dataplane.model.filter import OPERATORS, AllOf, Among, AnyOf, Condition, Filter, Not, parse
from loci_dataplane.stores.sqlite.filter import condition

NAMES = st.sampled_from(["ada", "bob", "a", ""]) | st.none()
VALUES: Final = (None, True, False, 0, 1, 1.0, 0.5, "ada", "a", "", "1", "true")
SCALARS = st.sampled_from(VALUES)
METADATA = st.dictionaries(st.sampled_from(["a", "b-c"]), SCALARS | st.lists(SCALARS, max_size=3))
ROWS = st.fixed_dictionaries({"id": st.just("mem_1"), "user_id": NAMES, "session_id": NAMES, "metadata": METADATA})
SIZES: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
}


def comparisons(field: str, values: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    sized = values.filter(lambda value: value is not None and not isinstance(value, bool))
    lists = st.lists(values, max_size=3)
    compared = st.one_of(
        *(st.fixed_dictionaries({name: values}) for name in ("eq", "ne", "contains")),
        *(st.fixed_dictionaries({name: sized}) for name in SIZES),
        *(st.fixed_dictionaries({name: lists}) for name in ("in", "nin")),
    )
    return compared.map(lambda comparison: {field: comparison})


FILTERS = st.recursive(
    comparisons("user_id", NAMES) | comparisons("metadata.a", SCALARS) | comparisons("metadata.b-c", SCALARS),
    lambda parts: (
        st.lists(parts, max_size=3).map(lambda some: {"AND": some})
        | st.lists(parts, max_size=3).map(lambda some: {"OR": some})
        | parts.map(lambda part: {"NOT": part})
    ),
    max_leaves=6,
)


@pytest.fixture(scope="module")
def table() -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE memories (id, user_id TEXT, session_id TEXT, metadata TEXT)")
    yield connection
    connection.close()


def in_sqlite(table: sqlite3.Connection, parsed: Filter, row: dict[str, Any]) -> bool:
    sql, parameters = condition(parsed)
    table.execute("DELETE FROM memories")
    stored = [row["id"], row["user_id"], row["session_id"], json.dumps(row["metadata"])]
    table.execute("INSERT INTO memories VALUES (?, ?, ?, ?)", stored)
    (answer,) = table.execute(f"SELECT {sql} FROM memories", parameters).fetchone()  # noqa: S608 - the code under test
    assert answer in {0, 1}
    return bool(answer)


def in_python(parsed: Filter, row: dict[str, Any]) -> bool:
    match parsed:
        case AllOf(parts):
            return all(in_python(part, row) for part in parts)
        case AnyOf(parts):
            return any(in_python(part, row) for part in parts)
        case Not(part):
            return not in_python(part, row)
        case Among(ids):
            return row["id"] in ids
        case Condition(field, name, value):
            stored = row["metadata"].get(field[9:]) if field.startswith("metadata.") else row[field]
            return holds(name, stored, value)


def holds(name: str, stored: Any, value: Any) -> bool:
    match name:
        case "eq" | "ne":
            return same(stored, value) == (name == "eq")
        case "in" | "nin":
            return any(same(stored, one) for one in value) == (name == "in")
        case "contains" if isinstance(stored, list):
            return any(same(one, value) for one in stored)
        case "contains":
            return isinstance(stored, str) and isinstance(value, str) and value in stored
        case _:
            return kind(stored) == kind(value) in {"text", "number"} and SIZES[name](stored, value)


def same(one: Any, other: Any) -> bool:
    return kind(one) == kind(other) and one == other


def kind(value: Any) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "truth"
        case str():
            return "text"
        case list():
            return "list"
        case dict():
            return "object"
        case _:
            return "number"


@pytest.mark.parametrize("name", OPERATORS)
def test_every_comparison_means_the_same_for_every_kind_of_value(table: sqlite3.Connection, name: str) -> None:
    stored = [{}, *({"a": value} for value in VALUES), *({"a": [value, 2]} for value in VALUES), {"a": {"b": 1}}]
    for value, metadata in itertools.product(VALUES, stored):
        if name in SIZES and kind(value) not in {"text", "number"}:
            continue
        parsed = Condition("metadata.a", name, (value, "other") if name in {"in", "nin"} else value)
        row: dict[str, Any] = {"id": "mem_1", "user_id": None, "session_id": None, "metadata": metadata}
        assert in_sqlite(table, parsed, row) == in_python(parsed, row), (value, metadata)


@settings(deadline=None)
@given(FILTERS, ROWS)
def test_sqlite_means_what_python_means(
    table: sqlite3.Connection, document: dict[str, Any], row: dict[str, Any]
) -> None:
    parsed = parse(document)
    assert in_sqlite(table, parsed, row) == in_python(parsed, row)


def test_among_admits_these_memories_only(table: sqlite3.Connection) -> None:
    row: dict[str, Any] = {"id": "mem_1", "user_id": None, "session_id": None, "metadata": {}}
    assert in_sqlite(table, Among(("mem_1", "mem_2")), row)
    assert not in_sqlite(table, Among(()), row)
