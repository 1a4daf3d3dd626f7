"""The terms of a text, the same for contents and queries."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_WORD: Final = re.compile(r"\w+")


def terms(text: str) -> list[str]:
    """Return the terms of a text in order, repeated as often as they occur."""
    return _WORD.findall(unicodedata.normalize("NFKC", text).casefold())
