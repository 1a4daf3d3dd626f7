"""A filter means in every store of records what a plain reading in Python says."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import operator
import sqlite3
import unicodedata
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any, Final

import asyncpg
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loci_dataplane.model.filter import OPERATORS, AllOf, Among, AnyOf, Condition, Filter, Not, parse
from loci_dataplane.model.memory import Memory
from loci_dataplane.model.paths import Path, parse_path, spelled
from loci_dataplane.model.values import metadata_problem
from loci_dataplane.stores.postgres import filter as postgres
from loci_dataplane.stores.postgres.rows import COLUMNS, values
from loci_dataplane.stores.sqlite import filter as sqlite
from loci_dataplane.stores.sqlite.filter import register
from loci_dev.rigs.postgres import Postgres

NOW: Final = datetime(2026, 1, 1, tzinfo=UTC)
NAMES = st.sampled_from(["ada", "bob", "a", ""]) | st.none()
VALUES: Final = (None, True, False, 0, 1, 1.0, 0.5, 2**53 + 1, 2.0**53, -(2**63), "ada", "A", "", "1", "true", "ÅDA")
SCALARS = st.sampled_from(VALUES)
PLACES: Final = ("a", "b-c", "a.b", '"a.b"', "a.0", "b-c.a.b", '""', r'"\"q\\"', "0")
KEYS = st.sampled_from(["a", "b-c", "b", "a.b", "", '"q\\', "0"])
METADATA = st.dictionaries(
    KEYS,
    st.recursive(SCALARS, lambda parts: st.lists(parts, max_size=3) | st.dictionaries(KEYS, parts, max_size=3)),
)
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
    st.one_of(comparisons("user_id", NAMES), *(comparisons(f"metadata.{place}", SCALARS) for place in PLACES)),
    lambda parts: (
        st.lists(parts, max_size=3).map(lambda some: {"AND": some})
        | st.lists(parts, max_size=3).map(lambda some: {"OR": some})
        | parts.map(lambda part: {"NOT": part})
    ),
    max_leaves=6,
)


Reading = Callable[[Filter, dict[str, Any]], bool]
"""Whether a filter holds for a row, as a store sees it."""


@contextlib.contextmanager
def in_sqlite(_: pytest.FixtureRequest) -> Iterator[Reading]:
    connection = sqlite3.connect(":memory:")
    register(connection)
    connection.execute("CREATE TABLE memories (id, user_id TEXT, session_id TEXT, metadata TEXT)")

    def read(parsed: Filter, row: dict[str, Any]) -> bool:
        sql, parameters = sqlite.condition(parsed)
        connection.execute("DELETE FROM memories")
        stored = [row["id"], row["user_id"], row["session_id"], orjson.dumps(row["metadata"]).decode()]
        connection.execute("INSERT INTO memories VALUES (?, ?, ?, ?)", stored)
        (answer,) = connection.execute(f"SELECT {sql} FROM memories", parameters).fetchone()  # noqa: S608 - the code under test
        assert answer in {0, 1}
        return bool(answer)

    yield read
    connection.close()


@contextlib.contextmanager
def in_postgres(request: pytest.FixtureRequest) -> Iterator[Reading]:
    server: Postgres = request.getfixturevalue("postgres_server")
    with asyncio.Runner() as runner:
        connection = runner.run(asyncpg.connect(server.dsn()))

        def read(parsed: Filter, row: dict[str, Any]) -> bool:
            memory = Memory(row["id"], "", row["user_id"], None, row["session_id"], row["metadata"], NOW, NOW)
            stored = dict(zip(COLUMNS, values(memory), strict=True))
            arguments = postgres.Arguments(*(stored[name] for name in PARAMETERS))
            sql = postgres.condition(parsed, arguments)
            answer = runner.run(connection.fetchval(f"SELECT {sql} {ROW}", *arguments.values))
            assert answer in {True, False}
            return bool(answer)

        yield read
        runner.run(connection.close())


PARAMETERS: Final = ("id", "user_id", "session_id", "plain", "folded")
ROW: Final = """FROM (
  SELECT $1::text AS id, $2::text COLLATE "C" AS user_id, $3::text COLLATE "C" AS session_id,
  $4::jsonb AS plain, $5::jsonb AS folded
) AS memory"""
READINGS: Final = {"sqlite": in_sqlite, "postgres": in_postgres}


@pytest.fixture(scope="module", params=READINGS)
def reading(request: pytest.FixtureRequest) -> Iterator[Reading]:
    with READINGS[request.param](request) as read:
        yield read


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
            stored = at(field, row["metadata"]) if isinstance(field, Path) else row[field]
            return holds(name, stored, value)


def at(path: Path, metadata: dict[str, Any]) -> Any:
    """The value at a path, None where nothing is."""
    if path.whole in metadata:
        return metadata[path.whole]
    value: Any = metadata
    for key in path.keys:
        if isinstance(value, dict):
            value = value.get(key)
        elif isinstance(value, list):
            value = dict(zip(map(str, range(len(value))), value, strict=True)).get(key)
        else:
            return None
    return value


def holds(name: str, stored: Any, value: Any) -> bool:
    match name:
        case "eq" | "ne":
            return same(stored, value) == (name == "eq")
        case "in" | "nin":
            return any(same(stored, one) for one in value) == (name == "in")
        case "contains" if isinstance(stored, list):
            return any(same(plain(one), plain(value)) for one in stored)
        case "contains":
            return isinstance(stored, str) and isinstance(value, str) and plain(value) in plain(stored)
        case _:
            return kind(stored) == kind(value) in {"text", "number"} and SIZES[name](stored, value)


def same(one: Any, other: Any) -> bool:
    return kind(one) == kind(other) and one == other


def plain(value: Any) -> Any:
    return unicodedata.normalize("NFKC", value).casefold() if isinstance(value, str) else value


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
def test_every_comparison_means_the_same_for_every_kind_of_value(reading: Reading, name: str) -> None:
    stored = [{}, *({"a": value} for value in VALUES), *({"a": [value, 2]} for value in VALUES), {"a": {"b": 1}}]
    for value, metadata in itertools.product(VALUES, stored):
        if name in SIZES and kind(value) not in {"text", "number"}:
            continue
        parsed = Condition(Path(("a",)), name, (value, "other") if name in {"in", "nin"} else value)
        row: dict[str, Any] = {"id": "mem_1", "user_id": None, "session_id": None, "metadata": metadata}
        assert reading(parsed, row) == in_python(parsed, row), (value, metadata)


@settings(deadline=None)
@given(FILTERS, ROWS)
def test_a_store_means_what_python_means(reading: Reading, document: dict[str, Any], row: dict[str, Any]) -> None:
    parsed = parse(document)
    assert reading(parsed, row) == in_python(parsed, row)


def test_among_admits_these_memories_only(reading: Reading) -> None:
    row: dict[str, Any] = {"id": "mem_1", "user_id": None, "session_id": None, "metadata": {}}
    assert reading(Among(("mem_1", "mem_2")), row)
    assert not reading(Among(()), row)


TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=20)
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS
)
DOCUMENTS = st.dictionaries(
    TEXTS,
    st.recursive(LEAVES, lambda parts: st.lists(parts, max_size=3) | st.dictionaries(TEXTS, parts, max_size=3)),
    max_size=4,
)


def leaves(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    if isinstance(value, dict | list):
        for key, part in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaves(part, (*path, str(key)))
    else:
        yield path, value


@settings(deadline=None)
@given(DOCUMENTS)
def test_whatever_is_stored_is_found_by_equality_at_its_path(reading: Reading, metadata: dict[str, Any]) -> None:
    assert metadata_problem(metadata) is None
    row: dict[str, Any] = {"id": "mem_1", "user_id": None, "session_id": None, "metadata": metadata}
    for keys, value in leaves(metadata):
        field = f"metadata.{spelled(keys)}"
        parsed = parse({field: value})
        assert reading(parsed, row) == in_python(parsed, row)
        if parse_path(spelled(keys)).whole not in metadata:
            assert reading(parsed, row), (field, value)
            assert not reading(parse({field: {"ne": value}}), row)


FLAT: Final = {
    "app.version": "1.2",
    "größe": 4,
    "first name": "Ada",
    'say "hi"': True,
    "back\\slash": 1.5,
    "": "empty",
    "0": "zero",
    "line\nbreak": "two",
    "a'); DROP TABLE memories; --": 7,
    "日本": "語",
    "big": 2**63 - 1,
    "small": -(2**63),
}


@pytest.mark.parametrize("key", FLAT, ids=repr)
def test_any_key_can_be_filtered_by_as_it_is_written(reading: Reading, key: str) -> None:
    row: dict[str, Any] = {"id": "mem_1", "user_id": None, "session_id": None, "metadata": FLAT}
    spellings = {spelled((key,)), json.dumps(key), key or '""'}
    for spelling in spellings:
        assert reading(parse({f"metadata.{spelling}": FLAT[key]}), row), spelling
        assert not reading(parse({f"metadata.{spelling}": "other"}), row), spelling


def test_an_unquoted_path_names_a_flat_key_before_a_nested_one(reading: Reading) -> None:
    row: dict[str, Any] = {"id": "mem_1", "user_id": None, "session_id": None}
    flat, nested = {"app.version": "flat"}, {"app": {"version": "nested"}}
    for metadata, found, quoted in ((flat, "flat", True), (nested, "nested", False), (flat | nested, "flat", True)):
        assert reading(parse({"metadata.app.version": found}), {**row, "metadata": metadata})
        assert reading(parse({'metadata."app.version"': "flat"}), {**row, "metadata": metadata}) == quoted
        nested_too = parse({'metadata."app".version': "nested"})
        assert reading(nested_too, {**row, "metadata": metadata}) == ("app" in metadata)


@pytest.mark.parametrize("stored", ["Office in Ｔｏｋｙｏ", "TOKYO", ["Ｔｏｋｙｏ", 1], ["a", "TOKYO"]], ids=repr)
@pytest.mark.parametrize("asked", ["tokyo", "Tokyo", "ＴＯＫＹＯ"])
def test_contains_ignores_case_and_width_in_strings_and_lists(reading: Reading, stored: Any, asked: str) -> None:
    row: dict[str, Any] = {"id": "mem_1", "user_id": None, "session_id": None, "metadata": {"a": stored}}
    assert reading(parse({"metadata.a": {"contains": asked}}), row)
    assert not reading(parse({"metadata.a": asked}), row)


def test_contains_ignores_composition(reading: Reading) -> None:
    row: dict[str, Any] = {"id": "mem_1", "user_id": "Jose\u0301", "session_id": None, "metadata": {}}
    assert reading(parse({"user_id": {"contains": "JOSÉ"}}), row)


@pytest.mark.parametrize(("stored", "asked"), [(2**53 + 1, 2.0**53), (2**63 - 1, 2.0**63), (0.1 + 0.2, 0.3)])
def test_numbers_compare_exactly(reading: Reading, stored: float, asked: float) -> None:
    row: dict[str, Any] = {"id": "mem_1", "user_id": None, "session_id": None, "metadata": {"a": stored, "b": [stored]}}
    assert not reading(parse({"metadata.a": asked}), row)
    assert not reading(parse({"metadata.b": {"contains": asked}}), row)
    assert reading(parse({"metadata.a": {"gt": asked}}), row) == (stored > asked)
    assert reading(parse({"metadata.a": stored, "metadata.b": {"contains": stored}}), row)


def test_the_largest_filter_is_within_the_bounds_of_the_store(reading: Reading) -> None:
    part = {"metadata" + ".0" * 32: {"contains": "a"}}
    row: dict[str, Any] = {"id": "mem_1", "user_id": None, "session_id": None, "metadata": {}}
    assert not reading(parse({"OR": [part] * 32}), row)
    assert reading(parse({"AND": [{"user_id": None}] * 127}), row)


@pytest.mark.parametrize("number", [2.0**60, -(2.0**61), 1e15])
def test_whole_numbers_are_equal_however_they_are_written(reading: Reading, number: float) -> None:
    for stored, asked in ((number, int(number)), (int(number), number), (number, number)):
        row: dict[str, Any] = {"id": "mem_1", "user_id": None, "session_id": None, "metadata": {"a": stored}}
        assert reading(parse({"metadata.a": asked}), row)
        assert reading(parse({"metadata.a": {"lte": asked}}), row)
        assert not reading(parse({"metadata.a": {"lt": asked}}), row)


@pytest.mark.parametrize("key", ["-1", "01", "+1", " 1", "1 ", "1.0", "99999999999999999999"])
def test_only_a_plain_decimal_is_an_index(reading: Reading, key: str) -> None:
    row: dict[str, Any] = {"id": "mem_1", "user_id": None, "session_id": None, "metadata": {"a": ["x", "y"]}}
    assert not reading(parse({f'metadata.a."{key}"': {"in": ["x", "y"]}}), row)
    assert reading(parse({f'metadata.a."{key}"': None}), row)
