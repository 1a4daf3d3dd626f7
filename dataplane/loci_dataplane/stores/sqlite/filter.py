"""A filter as an SQLite condition over the columns of `memories`; every value is a parameter."""

from __future__ import annotations

import json
from typing import Final

from loci_dataplane.model.filter import COLUMNS, AllOf, Among, AnyOf, Condition, Filter, Not, Scalar

Sql = tuple[str, list[Scalar]]

_SYMBOLS: Final = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
_NUMBERS: Final = "('integer', 'real')"


def condition(parsed: Filter) -> Sql:
    """An expression that is 1 or 0, never null, and its parameters."""
    match parsed:
        case Among(ids):
            return "id IN (SELECT value FROM json_each(?))", [json.dumps(ids)]
        case Not(part):
            sql, parameters = condition(part)
            return f"NOT {sql}", parameters
        case AllOf(parts):
            return _join([condition(p) for p in parts], "AND", empty="1")
        case AnyOf(parts):
            return _join([condition(p) for p in parts], "OR", empty="0")
        case Condition(field, operator, value):
            sql, parameters = _column(field, operator, value) if field in COLUMNS else _key(field, operator, value)
            return f"coalesce({sql}, 0)", parameters


def _join(parts: list[Sql], word: str, empty: str) -> Sql:
    if not parts:
        return empty, []
    return f"({f' {word} '.join(sql for sql, _ in parts)})", [p for _, parameters in parts for p in parameters]


def _column(name: str, operator: str, value: Scalar | tuple[Scalar, ...]) -> Sql:
    if isinstance(value, tuple):
        sql, parameters = _join([(f"{name} IS ?", [v]) for v in value], "OR", empty="0")
        return (sql if operator == "in" else f"NOT {sql}"), parameters
    match operator:
        case "eq":
            return f"{name} IS ?", [value]
        case "ne":
            return f"{name} IS NOT ?", [value]
        case "contains":
            return f"instr({name}, ?) > 0", [value]
        case _:
            return f"{name} {_SYMBOLS[operator]} ?", [value]


def _key(field: str, operator: str, value: Scalar | tuple[Scalar, ...]) -> Sql:
    path = f'$."{field.removeprefix("metadata.")}"'  # the language admits no quote in it
    if isinstance(value, tuple):
        sql, parameters = _join([_equal(path, v) for v in value], "OR", empty="0")
        return (sql if operator == "in" else f"NOT {sql}"), parameters
    match operator:
        case "eq":
            return _equal(path, value)
        case "ne":
            sql, parameters = _equal(path, value)
            return f"NOT {sql}", parameters
        case "contains":
            return _contains(path, value)
        case _:
            kind = "= 'text'" if isinstance(value, str) else f"IN {_NUMBERS}"
            symbol = _SYMBOLS[operator]
            return (
                f"(json_type(metadata, ?) {kind} AND json_extract(metadata, ?) {symbol} ?)",
                [path, path, value],
            )


def _equal(path: str, value: Scalar) -> Sql:
    match value:
        case None:
            return "coalesce(json_type(metadata, ?) = 'null', 1)", [path]
        case bool():
            return "coalesce(json_type(metadata, ?) = ?, 0)", [path, "true" if value else "false"]
        case str():
            kind = "= 'text'"
        case _:
            kind = f"IN {_NUMBERS}"
    return f"coalesce(json_type(metadata, ?) {kind} AND json_extract(metadata, ?) = ?, 0)", [path, path, value]


def _contains(path: str, value: Scalar) -> Sql:
    """A text holds a text; a list holds a value of the same type."""
    member, parameters = _member(value)
    members = f"SELECT 1 FROM json_each(metadata, ?) AS item WHERE {member}"  # noqa: S608 - no value is in the text
    listed = f"(json_type(metadata, ?) = 'array' AND EXISTS ({members}))"
    if not isinstance(value, str):
        return listed, [path, path, *parameters]
    text = "(json_type(metadata, ?) = 'text' AND instr(json_extract(metadata, ?), ?) > 0)"
    return f"({text} OR {listed})", [path, path, value, path, path, *parameters]


def _member(value: Scalar) -> Sql:
    match value:
        case None:
            return "item.type = 'null'", []
        case bool():
            return "item.type = ?", ["true" if value else "false"]
        case str():
            return "item.type = 'text' AND item.value = ?", [value]
        case _:
            return f"item.type IN {_NUMBERS} AND item.value = ?", [value]
