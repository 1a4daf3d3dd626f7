"""Compile a filter to an SQLite condition over the columns of `memories`; all values and keys are bound parameters.

Metadata is read by `json_type` and `json_extract` with a path. SQLite's JSON paths cannot express keys with quotes,
backslashes or control characters, nor keys that may also be a list index; these are resolved key by key with
`json_each`, at about ten times the cost per row. Every condition is 1 or 0, never null, so that negation is exact.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterable
from typing import Final, NamedTuple

from loci_dataplane.model.filter import AllOf, Among, AnyOf, Condition, Filter, Not
from loci_dataplane.model.paths import Path
from loci_dataplane.model.values import Scalar, folded

_SYMBOLS: Final = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
_NUMBERS: Final = "('integer', 'real')"
_PLAIN: Final = re.compile(r'(?!(?:0|[1-9][0-9]*)\Z)[^"\\\x00-\x1f]+')
"""Keys that an SQLite path can express and that cannot be a list index."""


class Sql(NamedTuple):
    """SQL expression with its parameters."""

    text: str
    parameters: tuple[Scalar, ...] = ()


class _Place(NamedTuple):
    """SQL for the JSON type (null if missing) and the value at a metadata path."""

    kind: Sql
    value: Sql


def register(connection: sqlite3.Connection) -> None:
    """Register the functions that conditions use on a connection."""
    connection.create_function("folded", 1, _folded_text, deterministic=True)


def condition(parsed: Filter) -> Sql:
    """SQL condition that is 1 or 0, never null; `register` must be called on the connection first."""
    match parsed:
        case Among(ids):
            return Sql("id IN (SELECT value FROM json_each(?))", (json.dumps(ids),))
        case Not(part):
            return _fill("NOT {}", condition(part))
        case AllOf(parts):
            return _join(map(condition, parts), "AND", empty="1")
        case AnyOf(parts):
            return _join(map(condition, parts), "OR", empty="0")
        case Condition(Path() as path, operator, value):
            return _fill("coalesce({}, 0)", _at_place(_place(path), operator, value))
        case Condition(str() as column, operator, value):
            return _fill("coalesce({}, 0)", _of_column(Sql(column), operator, value))
    raise AssertionError(parsed)


def _fill(template: str, *parts: Sql) -> Sql:
    text = template.format(*(part.text for part in parts))
    return Sql(text, tuple(value for part in parts for value in part.parameters))


def _join(parts: Iterable[Sql], word: str, empty: str) -> Sql:
    listed = tuple(parts)
    return _fill(f"({f' {word} '.join('{}' for _ in listed)})", *listed) if listed else Sql(empty)


def _parameter(value: Scalar) -> Sql:
    return Sql("?", (value,))


def _of_column(column: Sql, operator: str, value: Scalar | tuple[Scalar, ...]) -> Sql:
    if isinstance(value, tuple):
        among = _join((_fill("{} IS {}", column, _parameter(one)) for one in value), "OR", empty="0")
        return among if operator == "in" else _fill("NOT {}", among)
    match operator:
        case "eq":
            return _fill("{} IS {}", column, _parameter(value))
        case "ne":
            return _fill("{} IS NOT {}", column, _parameter(value))
        case "contains":
            return _fill("instr(folded({}), {}) > 0", column, _folded(value))
        case _:
            return _fill(f"{{}} {_SYMBOLS[operator]} {{}}", column, _parameter(value))


def _at_place(place: _Place, operator: str, value: Scalar | tuple[Scalar, ...]) -> Sql:
    if isinstance(value, tuple):
        among = _join((_equal(place, one) for one in value), "OR", empty="0")
        return among if operator == "in" else _fill("NOT {}", among)
    match operator:
        case "eq":
            return _equal(place, value)
        case "ne":
            return _fill("NOT {}", _equal(place, value))
        case "contains":
            return _contains(place, value)
        case _:
            kind = "= 'text'" if isinstance(value, str) else f"IN {_NUMBERS}"
            return _fill(f"({{}} {kind} AND {{}} {_SYMBOLS[operator]} {{}})", *place, _parameter(value))


def _equal(place: _Place, value: Scalar) -> Sql:
    match value:
        case None:
            return _fill("coalesce({} = 'null', 1)", place.kind)
        case bool():
            return _fill("coalesce({} = {}, 0)", place.kind, _boolean(value))
        case str():
            kind = "= 'text'"
        case _:
            kind = f"IN {_NUMBERS}"
    return _fill(f"coalesce({{}} {kind} AND {{}} = {{}}, 0)", *place, _parameter(value))


def _contains(place: _Place, value: Scalar) -> Sql:
    """Condition that a string contains a string, or a list contains a value of the same type."""
    members = "EXISTS (SELECT 1 FROM json_each(CASE WHEN {} = 'array' THEN {} END) AS item WHERE {})"
    listed = _fill(members, *place, _member(value))
    if not isinstance(value, str):
        return listed
    text = _fill("({} = 'text' AND instr(folded({}), {}) > 0)", *place, _folded(value))
    return _fill("({} OR {})", text, listed)


def _member(value: Scalar) -> Sql:
    match value:
        case None:
            return Sql("item.type = 'null'")
        case bool():
            return _fill("item.type = {}", _boolean(value))
        case str():
            return _fill("item.type = 'text' AND folded(item.value) = {}", _folded(value))
        case _:
            return _fill(f"item.type IN {_NUMBERS} AND item.value = {{}}", _parameter(value))


def _boolean(value: bool) -> Sql:  # noqa: FBT001 - the value itself
    return _parameter("true" if value else "false")


def _folded_text(value: object) -> str | None:
    # SQLite may call this with values of any type, since AND does not guarantee an order of evaluation.
    return folded(value) if isinstance(value, str) else None


def _folded(value: Scalar) -> Sql:
    return _parameter(_folded_text(value))


def _place(path: Path) -> _Place:
    nested = _at_keys(path.keys)
    if path.whole is None:
        return nested
    whole = _at_keys((path.whole,))
    return _Place(
        _fill("coalesce({}, {})", whole.kind, nested.kind),
        _fill("CASE WHEN {} IS NOT NULL THEN {} ELSE {} END", whole.kind, whole.value, nested.value),
    )


def _at_keys(keys: tuple[str, ...]) -> _Place:
    if all(map(_PLAIN.fullmatch, keys)):
        path = "$" + "".join(f'."{key}"' for key in keys)
        return _Place(Sql("json_type(metadata, ?)", (path,)), Sql("json_extract(metadata, ?)", (path,)))
    return _Place(_walked("type", keys), _walked("value", keys))


def _walked(column: str, keys: tuple[str, ...]) -> Sql:
    inner = "json_each(CASE WHEN j{0}.type IN ('object', 'array') THEN j{0}.value END) AS j{1}"
    tables = ["json_each(metadata) AS j0", *(inner.format(i, i + 1) for i in range(len(keys) - 1))]
    keyed = " AND ".join(f"CAST(j{i}.key AS TEXT) = ?" for i in range(len(keys)))
    query = f"(SELECT j{len(keys) - 1}.{column} FROM {', '.join(tables)} WHERE {keyed})"  # noqa: S608 - keys are parameters
    return Sql(query, keys)
