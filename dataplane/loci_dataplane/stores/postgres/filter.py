"""A filter as a PostgreSQL condition over the columns of `memory`; every value and every key is a parameter.

Comparisons with a null column are false, never null, but are written so that the planner still sees `user_id = $1`.
Equality and order read `plain`; `contains` reads `folded`, which holds the same with its texts folded.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from loci_dataplane.model.filter import AllOf, Among, AnyOf, Condition, Filter, Not
from loci_dataplane.model.paths import Path
from loci_dataplane.model.values import Scalar, folded
from loci_dataplane.stores.postgres.rows import fold_texts, to_json

_SYMBOLS: Final = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
_INDEX: Final = re.compile(r"0|[1-9][0-9]*")


class Arguments:
    """The parameters of one statement, numbered as they are added.

    The only arrays are `text[]`, cast where others are needed: the driver asks the catalog about other arrays, which a
    tenant's role may not read.
    """

    def __init__(self, *values: object) -> None:
        self.values = list(values)

    def add(self, value: object, kind: str = "text") -> str:
        """Add a parameter; return how the statement names it."""
        self.values.append(value)
        return f"${len(self.values)}::{kind}"


class _Place(NamedTuple):
    """A place in metadata, as written and with its texts folded: `jsonb`, null where nothing is."""

    plain: str
    folded: str


def condition(parsed: Filter, arguments: Arguments) -> str:
    """An expression that is true or false, never null."""
    match parsed:
        case Among(ids):
            return f"id = ANY({arguments.add(list(ids), 'text[]')})"
        case Not(part):
            return f"NOT {condition(part, arguments)}"
        case AllOf(parts):
            return _join([condition(part, arguments) for part in parts], "AND", empty="true")
        case AnyOf(parts):
            return _join([condition(part, arguments) for part in parts], "OR", empty="false")
        case Condition(field, operator, value):
            return _comparison(field, operator, value, arguments)
    raise AssertionError(parsed)


def _comparison(field: str | Path, operator: str, value: Scalar | tuple[Scalar, ...], arguments: Arguments) -> str:
    if value == ():
        return "false" if operator == "in" else "true"  # a place would add parameters that nothing uses
    if isinstance(field, str):
        return _of_column(field, operator, value, arguments)
    return f"coalesce({_at_place(_place(field, arguments), operator, value, arguments)}, false)"


def _join(parts: list[str], word: str, empty: str) -> str:
    return f"({f' {word} '.join(parts)})" if parts else empty


def _of_column(column: str, operator: str, value: Scalar | tuple[Scalar, ...], arguments: Arguments) -> str:
    if isinstance(value, tuple):
        among = _join([_same(column, one, arguments) for one in value], "OR", empty="false")
        return among if operator == "in" else f"NOT {among}"
    match operator:
        case "eq":
            return _same(column, value, arguments)
        case "ne":
            return f"NOT {_same(column, value, arguments)}"
        case "contains":
            if not isinstance(value, str):
                return "false"
            return f"coalesce(strpos(folded ->> '{column}', {arguments.add(folded(value))}) > 0, false)"
        case _:
            return f"({column} IS NOT NULL AND {column} {_SYMBOLS[operator]} {arguments.add(value)})"


def _same(column: str, value: Scalar, arguments: Arguments) -> str:
    if value is None:
        return f"({column} IS NULL)"
    return f"({column} IS NOT NULL AND {column} = {arguments.add(value)})"


def _at_place(place: _Place, operator: str, value: Scalar | tuple[Scalar, ...], arguments: Arguments) -> str:
    if isinstance(value, tuple):
        among = _join([_equal(place, one, arguments) for one in value], "OR", empty="false")
        return among if operator == "in" else f"NOT {among}"
    match operator:
        case "eq":
            return _equal(place, value, arguments)
        case "ne":
            return f"NOT {_equal(place, value, arguments)}"
        case "contains":
            return _contains(place, value, arguments)
        case _:
            return _ordered(place, _SYMBOLS[operator], value, arguments)


def _equal(place: _Place, value: Scalar, arguments: Arguments) -> str:
    if value is None:
        return f"coalesce({place.plain} = 'null', true)"
    return f"coalesce({place.plain} = {arguments.add(to_json(value), 'jsonb')}, false)"


def _ordered(place: _Place, symbol: str, value: Scalar, arguments: Arguments) -> str:
    if isinstance(value, str):
        text = f"""({place.plain} #>> '{{}}') COLLATE "C" {symbol} {arguments.add(value)}"""
        return f"(jsonb_typeof({place.plain}) = 'string' AND {text})"
    number = f"{place.plain} {symbol} {arguments.add(to_json(value), 'jsonb')}"
    return f"(jsonb_typeof({place.plain}) = 'number' AND {number})"


def _contains(place: _Place, value: Scalar, arguments: Arguments) -> str:
    """A string contains a string; a list contains a value of the same type."""
    member = arguments.add(to_json([fold_texts(value)]), "jsonb")
    listed = f"(jsonb_typeof({place.folded}) = 'array' AND {place.folded} @> {member})"
    if not isinstance(value, str):
        return listed
    within = f"strpos({place.folded} #>> '{{}}', {arguments.add(folded(value))}) > 0"
    return f"((jsonb_typeof({place.folded}) = 'string' AND {within}) OR {listed})"


def _place(path: Path, arguments: Arguments) -> _Place:
    keys = [(arguments.add(key), _INDEX.fullmatch(key) is not None) for key in path.keys]
    whole = None if path.whole is None else arguments.add(path.whole)
    return _Place(_at("plain", keys, whole), _at("(folded -> 'metadata')", keys, whole))


def _at(document: str, keys: list[tuple[str, bool]], whole: str | None) -> str:
    nested = document
    for key, is_index in keys:
        # `->` finds members of objects alone; `#>` also items, and would read more than decimals as an index.
        nested = f"({nested} #> ARRAY[{key}])" if is_index else f"({nested} -> {key})"
    return nested if whole is None else f"coalesce({document} -> {whole}, {nested})"
