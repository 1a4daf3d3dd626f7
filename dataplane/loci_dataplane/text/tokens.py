"""Tokens of folded text, by the kind of script they are written in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
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
    """A run of Thai, Lao, Khmer or Burmese, whose words only a dictionary tells apart."""
    SYMBOL = "symbol"


@dataclass(frozen=True, slots=True)
class Token:
    """A stretch of folded text without white space."""

    kind: Kind
    text: str


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


def tokens(folded: str) -> Iterator[Token]:
    """The tokens in order; punctuation and white space are left out."""
    for found in _TOKEN.finditer(folded):
        yield Token(Kind(found.lastgroup), found[0])
