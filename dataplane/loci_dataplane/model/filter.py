"""Filters: `{"user_id": "ada", "metadata.year": {"gte": 2020}, "OR": [...], "NOT": {...}}`.

A filter is an object. Each field maps to a value (equality) or to an object of comparisons; several entries hold all
together. AND and OR take a list of filters, NOT takes one. A comparison with a value of another type never holds.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from loci_dataplane.model.memory import timestamp
from loci_runtime.errors import InvalidError

COLUMNS: Final = ("user_id", "agent_id", "session_id", "created_at", "updated_at")
TIMES: Final = ("created_at", "updated_at")
OPERATORS: Final = ("eq", "ne", "gt", "gte", "lt", "lte", "in", "nin", "contains")
_METADATA: Final = re.compile(r"metadata\.[A-Za-z0-9_-]{1,64}")
_MAX_PARTS: Final = 256
_MAX_DEPTH: Final = 8

Scalar = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Condition:
    """One comparison; `value` is a tuple for `in` and `nin`."""

    field: str
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
    """It is one of these memories; has no form in the language, search needs it."""

    ids: tuple[str, ...]


Filter = Condition | AllOf | AnyOf | Not | Among

EVERYTHING: Final = AllOf(())


def parse(document: dict[str, Any], where: str = "filters") -> Filter:
    """Read a filter.

    Raises:
        InvalidError: naming the place and what is allowed there.
    """
    if _size(document) > _MAX_PARTS:
        raise _invalid(where, f"at most {_MAX_PARTS} fields, comparisons, values and nested filters are allowed")
    return _object(document, where, depth=0)


def _size(document: object) -> int:
    """Entries of all its objects and lists, without a deeper look than is allowed, nor a longer one."""
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


def _object(document: object, where: str, depth: int) -> Filter:
    if not isinstance(document, dict):
        raise _invalid(where, "must be an object of fields, AND, OR or NOT")
    if depth > _MAX_DEPTH:
        raise _invalid(where, f"may be nested at most {_MAX_DEPTH} deep")
    return AllOf(tuple(part for key, value in document.items() for part in _entry(key, value, where, depth)))


def _entry(key: str, value: object, where: str, depth: int) -> Iterator[Filter]:
    if not _is_storable(key):
        raise _invalid(where, "has a field that is not valid Unicode")
    here = f"{where}.{key}"
    if key in {"AND", "OR"}:
        if not isinstance(value, list):
            raise _invalid(here, "must be a list of filters")
        parts = tuple(_object(item, f"{here}.{i}", depth + 1) for i, item in enumerate(value))
        yield AllOf(parts) if key == "AND" else AnyOf(parts)
    elif key == "NOT":
        yield Not(_object(value, here, depth + 1))
    elif key in COLUMNS or _METADATA.fullmatch(key):
        yield from _comparisons(key, value, here)
    else:
        raise _invalid(here, f"is not a field: use {', '.join(COLUMNS)} or metadata.<key>")


def _comparisons(field: str, value: object, where: str) -> Iterator[Condition]:
    comparisons = value if isinstance(value, dict) else {"eq": value}
    for operator, operand in comparisons.items():
        if not _is_storable(operator):
            raise _invalid(where, f"has no valid operator: use {', '.join(OPERATORS)}")
        here = f"{where}.{operator}" if isinstance(value, dict) else where
        if operator not in OPERATORS:
            raise _invalid(here, f"is not an operator: use {', '.join(OPERATORS)}")
        yield Condition(field, operator, _operand(field, operator, operand, here))


def _operand(field: str, operator: str, operand: object, where: str) -> Scalar | tuple[Scalar, ...]:
    if operator in {"in", "nin"}:
        if not isinstance(operand, list):
            raise _invalid(where, "must be a list of values")
        return tuple(_scalar(field, item, where) for item in operand)
    scalar = _scalar(field, operand, where)
    if operator in {"gt", "gte", "lt", "lte"} and (scalar is None or isinstance(scalar, bool)):
        raise _invalid(where, "must be a text or a number to be compared by size")
    return scalar


def _scalar(field: str, value: object, where: str) -> Scalar:
    if field in TIMES:
        return _time(value, where)
    if field in COLUMNS and not (value is None or isinstance(value, str)):
        raise _invalid(where, "must be a text or null")
    if isinstance(value, str) and not _is_storable(value):
        raise _invalid(where, "must be valid Unicode")
    if isinstance(value, float) and not math.isfinite(value):
        raise _invalid(where, "must be a finite number")
    if isinstance(value, int) and not isinstance(value, bool) and not -(2**63) <= value < 2**63:
        raise _invalid(where, "must be a number of at most 64 bits")
    if value is None or isinstance(value, str | int | float | bool):
        return value
    raise _invalid(where, "must be a text, a number, true, false or null")


def _time(value: object, where: str) -> str:
    try:
        moment = datetime.fromisoformat(value if isinstance(value, str) else "")
        if moment.tzinfo is not None:
            return timestamp(moment)
    except (ValueError, OverflowError):
        pass
    raise _invalid(where, "must be a time with a zone, such as 2026-01-31T12:00:00Z")


def _is_storable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _invalid(where: str, problem: str) -> InvalidError:
    return InvalidError(problem, f"body.{where}")
