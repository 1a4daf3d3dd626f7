"""Stemming with Snowball, the language chosen by the script: English for Latin, Russian for Cyrillic, and so on.

Stored text and queries are stemmed alike, so a word of another language in the same script is still found by the form
in which it was written; only its other forms may be missed.
"""

from __future__ import annotations

import threading
from functools import lru_cache
from typing import Any, Final

import Stemmer

_LANGUAGES: Final = (
    ("a", "z", "english"),
    ("\u0370", "\u03ff", "greek"),
    ("\u0400", "\u04ff", "russian"),
    ("\u0530", "\u058f", "armenian"),
    ("\u0600", "\u06ff", "arabic"),
    ("\u0900", "\u097f", "hindi"),
    ("\u0b80", "\u0bff", "tamil"),
)
_STEMMERS: Final = threading.local()
"""Stemmers by language, for each thread: they are not thread-safe."""


@lru_cache(65_536)
def stem(word: str) -> str:
    """The word's stem; the word itself in a script without a stemmer."""
    language = next((name for first, last, name in _LANGUAGES if first <= word[0] <= last), None)
    if language is None or len(word) < 3:  # noqa: PLR2004 - nothing that short has an ending
        return word
    stemmed: str = _stemmer(language).stemWord(word)
    return stemmed or word


def _stemmer(language: str) -> Any:
    found = getattr(_STEMMERS, language, None)
    if found is None:
        found = Stemmer.Stemmer(language, 0)  # `stem` has the cache
        setattr(_STEMMERS, language, found)
    return found
