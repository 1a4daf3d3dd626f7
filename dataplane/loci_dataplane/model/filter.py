"""Filters: `{"user_id": "ada", "metadata.year": {"gte": 2020}, "OR": [...], "NOT": {...}}`.

A filter is an object. Each field maps to a value (equality) or to an object of comparisons; several entries hold all
together. AND and OR take a list of filters, NOT takes one. A comparison with a value of another type never holds.
Equality and order compare strings by code points; `contains` ignores case, width and composition. `model.paths`
describes the paths into metadata.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any, Final

from loci_contract.inputs import suggestion
from loci_contract.times import parse_time
from loci_dataplane.model import values
from loci_dataplane.model.memory import timestamp
from loci_dataplane.model.paths import PREFIX, Path, parse_path
from loci_dataplane.model.values import Scalar
from loci_runtime.errors import InvalidError

COLUMNS: Final = ("user_id", "agent_id", "session_id", "created_at", "updated_at", "expires_at")
TIMES: Final = ("created_at", "updated_at", "expires_at")
OPERATORS: Final = ("eq", "ne", "gt", "gte", "lt", "lte", "in", "nin", "contains")
_ORDERED: Final = frozenset({"gt", "gte", "lt", "lte"})
_FIELDS: Final = (*COLUMNS, "metadata.<key>", "AND", "OR", "NOT")
_MAX_PARTS: Final = 256
_MAX_KEYS: Final = 1_024
_MAX_DEPTH: Final = 8


@dataclass(frozen=True, slots=True)
class Condition:
    """One comparison of a column or of a place in metadata; `value` is a tuple for `in` and `nin`."""

    field: str | Path
    operator: str
    value: Scalar | tuple[Scalar, ...]


@dataclass(frozen=True, slots=True)
class AllOf:
    """Every part holds."""

    parts: tuple[Filter, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one part holds."""

    parts: tuple[Filter, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The part does not hold."""

    part: Filter


@dataclass(frozen=True, slots=True)
class Among:
    """The memory is one of these. Search builds it; the language has no form for it."""

    ids: tuple[str, ...]


Filter = Condition | AllOf | AnyOf | Not | Among

EVERYTHING: Final = AllOf(())


def parse(document: dict[str, Any], where: str = "body.filters") -> Filter:
    """Read a filter; `where` is its place in the request.

    Raises:
        InvalidError: naming the place and what is allowed there.
    """
    if _size(document) > _MAX_PARTS:
        raise InvalidError(f"may have at most {_MAX_PARTS} fields, comparisons, values and nested filters", where)
    parsed = _object(document, where, depth=0)
    if _keys(parsed) > _MAX_KEYS:
        raise InvalidError(f"may have at most {_MAX_KEYS} keys in all its paths", where)
    return parsed


def bounds(parsed: Filter) -> bool:
    """Whether a filter certainly leaves something out: all of its alternatives compare something.

    `{"OR": [{}, {"user_id": "ada"}]}` and `{"NOT": {"AND": []}}` do not: one matches every memory, one none.
    """
    match parsed:
        case AllOf(parts):
            return any(map(bounds, parts))
        case AnyOf(parts):
            return bool(parts) and all(map(bounds, parts))
        case Not(part):
            return bounds(part)
        case _:
            return True


def _size(document: object) -> int:
    """Entries of all objects and lists; stops counting beyond the allowed size or depth."""
    size, level = 0, [document]
    for _ in range(2 * _MAX_DEPTH + 3):
        parts = [part for value in level for part in _parts(value)]
        size += len(parts)
        if size > _MAX_PARTS:
            break
        level = parts
    return size


def _parts(value: object) -> Collection[object]:
    return value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()


def _keys(parsed: Filter) -> int:
    match parsed:
        case AllOf(parts) | AnyOf(parts):
            return sum(map(_keys, parts))
        case Not(part):
            return _keys(part)
        case Condition(Path(keys)):
            return len(keys)
        case _:
            return 0


def _object(document: object, where: str, depth: int) -> Filter:
    if not isinstance(document, dict):
        raise InvalidError("must be an object of fields, AND, OR or NOT", where)
    if depth > _MAX_DEPTH:
        raise InvalidError(f"may be nested at most {_MAX_DEPTH} deep", where)
    return AllOf(tuple(part for key, value in document.items() for part in _entry(key, value, where, depth)))


def _entry(key: str, value: object, where: str, depth: int) -> Iterator[Filter]:
    if (problem := values.text_problem(key)) is not None:
        raise InvalidError(f"has a field that {problem}", where)
    here = f"{where}.{key}"
    if key in {"AND", "OR"}:
        if not isinstance(value, list):
            raise InvalidError("must be a list of filters", here)
        parts = tuple(_object(item, f"{here}.{i}", depth + 1) for i, item in enumerate(value))
        yield AllOf(parts) if key == "AND" else AnyOf(parts)
    elif key == "NOT":
        yield Not(_object(value, here, depth + 1))
    else:
        yield from _comparisons(_field(key, here), value, here)


def _field(key: str, where: str) -> str | Path:
    if key in COLUMNS:
        return key
    if not key.startswith(PREFIX):
        raise InvalidError(f"is not a field of a filter. {suggestion(key, _FIELDS)}", where)
    try:
        path = parse_path(key.removeprefix(PREFIX))
    except ValueError as error:
        raise InvalidError(str(error), where) from None
    if (problem := next(filter(None, map(values.text_problem, path.keys)), None)) is not None:
        raise InvalidError(f"has a key that {problem}", where)
    return path


def _comparisons(field: str | Path, value: object, where: str) -> Iterator[Condition]:
    if value == {}:
        raise InvalidError(f"must have a comparison: one of {', '.join(OPERATORS)}", where)
    comparisons = value if isinstance(value, dict) else {"eq": value}
    for operator, operand in comparisons.items():
        if (problem := values.text_problem(operator)) is not None:
            raise InvalidError(f"has a comparison that {problem}", where)
        here = f"{where}.{operator}" if isinstance(value, dict) else where
        if operator not in OPERATORS:
            raise InvalidError(f"is not a comparison. {suggestion(operator, OPERATORS)}", here)
        yield Condition(field, operator, _operand(field, operator, operand, here))


def _operand(field: str | Path, operator: str, operand: object, where: str) -> Scalar | tuple[Scalar, ...]:
    if operator in {"in", "nin"}:
        if not isinstance(operand, list):
            raise InvalidError("must be a list of values", where)
        return tuple(_scalar(field, item, where) for item in operand)
    if operator == "contains" and field in TIMES:
        raise InvalidError("cannot be used with a time: use gt, gte, lt and lte", where)
    scalar = _scalar(field, operand, where)
    if operator in _ORDERED and (scalar is None or isinstance(scalar, bool)):
        raise InvalidError(f"must be a string or a number: {operator} needs values that have an order", where)
    return scalar


def _scalar(field: str | Path, value: object, where: str) -> Scalar:
    if field in TIMES and not (field == "expires_at" and value is None):
        try:
            return timestamp(parse_time(value))
        except ValueError as error:
            raise InvalidError(str(error), where) from None
    if isinstance(field, str) and not (value is None or isinstance(value, str)):
        raise InvalidError("must be a string or null", where)
    if (problem := values.problem(value)) is not None:
        raise InvalidError(_about(value, problem), where)
    return value  # type: ignore[return-value]  # `problem` admits scalars alone


def _about(value: object, problem: str) -> str:
    return f"{problem}; an item of a list is found by contains" if isinstance(value, list) else problem
