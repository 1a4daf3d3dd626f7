"""Tokens of folded text, by the kind of script they are written in."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum
from typing import Final

import regex


class Kind(Enum):
    """How a token is turned into terms."""

    WORD = "word"
    NUMBER = "number"
    CJK = "cjk"
    HANGUL = "hangul"
    DICTIONARY = "dictionary"
    """A run of Thai, Lao, Khmer or Burmese, which only a dictionary can split into words."""
    SYMBOL = "symbol"


_CJK: Final = r"[\p{Han}\p{Hiragana}\p{Katakana}\u30FC\u3005\u3006]"
_DICTIONARY: Final = r"[\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]"
_LETTER: Final = rf"[[\p{{L}}\p{{M}}\p{{N}}]--{_CJK}--\p{{Hangul}}--{_DICTIONARY}]"
_TOKEN: Final = regex.compile(
    rf"(?P<number>(?<!{_LETTER})v?\d+(?:[.,:/-]\d+)+(?!{_LETTER}))"
    rf"|(?P<word>{_LETTER}+(?:(?:[.'@/:&+-]_*|_+){_LETTER}+)*(?:\+\+|\#)?)"
    rf"|(?P<cjk>{_CJK}+)"
    r"|(?P<hangul>\p{Hangul}+)"
    rf"|(?P<dictionary>{_DICTIONARY}+)"
    r"|(?P<symbol>\p{Extended_Pictographic})",
    regex.V1,
)

_ASCII_TOKEN: Final = re.compile(
    r"(?P<number>(?<![a-z0-9])v?\d+(?:[.,:/-]\d+)+(?![a-z0-9]))"
    r"|(?P<word>[a-z0-9]+(?:(?:[.'@/:&+-]_*|_+)[a-z0-9]+)*(?:\+\+|\#)?)"
)
"""The same for ASCII, where the standard library's engine is three times as fast."""
_KINDS: Final = {kind.value: kind for kind in Kind}


def tokens(folded: str) -> Iterator[tuple[Kind, str]]:
    """Each token's kind and text, in order; punctuation and white space are left out."""
    pattern = _ASCII_TOKEN if folded.isascii() else _TOKEN
    for found in pattern.finditer(folded):
        yield _KINDS[found.lastgroup or ""], found[0]
