"""Values of metadata: one rule for those that can be stored and those that can be filtered by.

Every store gives back a value that passes, as it came, and finds it by equality.
"""

from __future__ import annotations

import math
import unicodedata
from typing import Any, Final

from loci_dataplane.model.paths import spelled

METADATA_MAX_DEPTH: Final = 32
INTEGER_MIN: Final = -(2**63)
INTEGER_MAX: Final = 2**63 - 1

Scalar = str | int | float | bool | None


def problem(value: object) -> str | None:
    """The reason why a scalar can neither be stored nor compared, as the end of a sentence; None when it can."""
    match value:
        case None | bool():
            return None
        case str():
            return text_problem(value)
        case int() if not INTEGER_MIN <= value <= INTEGER_MAX:
            return f"must be an integer from {INTEGER_MIN} to {INTEGER_MAX} (64 bits): send a larger one as a string"
        case float() if not math.isfinite(value):
            return "must be a finite number"
        case int() | float():
            return None
        case _:
            return "must be a string, a number, true, false or null"


def text_problem(text: str) -> str | None:
    """The reason why no store could keep a string; None when they can."""
    if "\x00" in text:
        return "must not contain NUL characters"
    try:
        text.encode()
    except UnicodeEncodeError:
        return "must be valid Unicode: it has half of a surrogate pair"
    return None


def metadata_problem(metadata: dict[str, Any]) -> str | None:
    """The first reason why metadata cannot be stored, with its place; None when it can."""
    waiting: list[tuple[tuple[str, ...], object]] = [((), metadata)]
    while waiting:
        path, value = waiting.pop()
        if len(path) >= METADATA_MAX_DEPTH:
            return f"may be nested at most {METADATA_MAX_DEPTH} deep"
        if isinstance(value, dict):
            if (found := next(filter(None, map(text_problem, value)), None)) is not None:
                return f"has a key that {found}"
            waiting += [((*path, key), part) for key, part in value.items()]
        elif isinstance(value, list):
            waiting += [((*path, str(index)), part) for index, part in enumerate(value)]
        elif (found := problem(value)) is not None:
            return f"the value at {spelled(path)} {found}"
    return None


def is_blank(text: str) -> bool:
    """Whether a string shows nothing: white space, control and formatting characters only."""
    return all(character.isspace() or unicodedata.category(character) in {"Cc", "Cf"} for character in text)


def folded(text: str) -> str:
    """The string as `contains` compares it: without differences of case, width or composition (NFKC, case-folded)."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
