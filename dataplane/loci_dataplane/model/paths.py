"""Paths into metadata, as filters spell them: `metadata.app.version`, `metadata."first.name"`, `metadata.tags.0`.

After `metadata.` come keys, with a dot between them. A key may hold any character; one that holds a dot, is empty or
begins with a quote is written as a JSON string (`"app.version"`, `""`). Each key names a member of an object
or, written as a decimal number, an item of a list (`0` is the first). As metadata often has flat keys such as
`app.version`, a path without any quote names that one key wherever a memory has it, else the nested one.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Final

PREFIX: Final = "metadata."
_KEYS_MAX: Final = 32
_QUOTED: Final = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_UNQUOTED: Final = re.compile(r"[^.]+")


@dataclass(frozen=True, slots=True)
class Path:
    """A place in metadata: `keys` from the outermost to the innermost.

    Args:
        keys: each a member's name, or an item's decimal index where there is a list.
        whole: a key of the metadata itself that goes before `keys` in memories that have it.
    """

    keys: tuple[str, ...]
    whole: str | None = None


def parse_path(text: str) -> Path:
    """Read what follows `metadata.`.

    Raises:
        ValueError: the message is the end of a sentence about the path.
    """
    keys, quoted, end = [], False, -1
    while end < len(text):
        start = end + 1
        pattern = _QUOTED if text.startswith('"', start) else _UNQUOTED
        match = pattern.match(text, start)
        if match is None:
            raise ValueError(_missing(text, start))
        quoted |= pattern is _QUOTED
        keys.append(_unquoted(match[0]) if pattern is _QUOTED else match[0])
        end = match.end()
        if end < len(text) and text[end] != ".":
            raise ValueError("must have a dot or its end after a quoted key")
    if len(keys) > _KEYS_MAX:
        raise ValueError(f"must have at most {_KEYS_MAX} keys")
    return Path(tuple(keys), text if len(keys) > 1 and not quoted else None)


def spelled(keys: tuple[str, ...]) -> str:
    """A path in the syntax of filters, without `metadata.`."""
    return ".".join(key if key and not set(key) & {".", '"'} else json.dumps(key, ensure_ascii=False) for key in keys)


def _missing(text: str, start: int) -> str:
    if text.startswith('"', start):
        return 'has a quoted key without its closing quote: write a key that begins with a quote as "\\"key"'
    return 'has an empty key: write it as "", and a key that holds a dot in quotes, such as metadata."app.version"'


def _unquoted(key: str) -> str:
    try:
        read: str = json.loads(key, strict=False)
    except ValueError:
        raise ValueError('has an escape that JSON does not know: write a backslash in a quoted key as "\\\\"') from None
    return read
