"""The terms of a text, the same for contents and queries."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_WORD: Final = re.compile(r"\w+")
_ENDING: Final = re.compile(r"(?<=\w{3})(?:ing|ed|es|s|e)$")


def terms(text: str) -> list[str]:
    """Return the terms of a text in order, repeated as often as they occur."""
    words: list[str] = _WORD.findall(unicodedata.normalize("NFKC", text).casefold())
    return [_ENDING.sub("", word) for word in words]
