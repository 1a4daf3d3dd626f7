"""A query's words as an FTS5 expression. What a caller writes is never FTS5 syntax: every word is quoted."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_WORD: Final = re.compile(r"\w+")
_MAX_WORDS: Final = 64
_STOP_WORDS: Final = frozenset(
    (  # noqa: SIM905 - a list of them is one word a line
        "a about after again all am an and any are as at be because been before being but by can could did do "
        "does doing for from had has have having he her hers him his how i if in into is it its just me my of "
        "on or our ours she so some than that the their them then there these they this those to too us was "
        "we were what when where which while who whom whose why will with would you your yours s t d ll m re "
        "ve "
    ).split()
)


def expression(query: str) -> str | None:
    """Any of the query's words, without those that say little unless there are no others; None without a word."""
    composed = unicodedata.normalize("NFKC", query)  # an accent of its own would end a word
    words = list(dict.fromkeys(word.lower() for word in _WORD.findall(composed)))[:_MAX_WORDS]
    telling = [word for word in words if word not in _STOP_WORDS] or words
    return " OR ".join(f'"{word}"' for word in telling) or None
