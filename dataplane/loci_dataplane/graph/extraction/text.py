"""Normalised text, its speaker, and its sentences as tokens."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from loci_dataplane.graph.extraction.words import MONTHS, word_set

_SPEAKER: Final = re.compile(r"(?:[\[(](?P<date>[^\])\n]{4,40})[\])]\s*)?(?P<name>[^\W\d_][\w.'\- ]{0,39}?):\s+(?=\S)")
_NOT_A_SPEAKER: Final = word_set(
    "note todo update reminder summary fact example question answer tip warning ps p.s. re subject important http"
)
_MONTHS: Final = "(?i:" + "|".join(MONTHS) + ")"
_TOKEN: Final = re.compile(
    r"https?://\S+|[\w.+-]+@[\w-]+(?:\.[\w-]+)+|[@#]\w+"
    rf"|\d{{1,2}}\.(?=\s+(?:{_MONTHS})\b)"
    r"|\d+(?:[.,:/-]\d+)*(?:st|nd|rd|th)?(?!\w)|(?:[^\W\d_]\.){2,}"
    r"|(?:Mr|Mrs|Ms|Dr|Prof|St|Mt|Jr|Sr)\.|\bn't\b|\w+(?:[&\-]\w+)*|'(?:m|s|re|ve|d|ll)\b|[^\w\s]"
)
_NEGATED: Final = re.compile(r"(?i)\b(do|does|did|is|are|was|were|has|have|had|wo|ca|could|would|should)n't\b")
_ENDS: Final = frozenset(".!?;…。！？؟।\n")
MAX_TOKENS: Final = 2_000
"""Longer texts are extracted from up to here."""


@dataclass(frozen=True, slots=True)
class Token:
    """A word, number or sign."""

    text: str
    lower: str
    capital: bool

    @property
    def word(self) -> bool:
        """Whether it has a letter or digit in front."""
        return self.text[0].isalnum()


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence's tokens, without the sign that ends it."""

    tokens: tuple[Token, ...]
    question: bool


@dataclass(frozen=True, slots=True)
class Spoken:
    """A text without its speaker's prefix; `date` is what the prefix says of the time."""

    speaker: str | None
    date: str | None
    text: str


def spoken(content: str, metadata: Mapping[str, Any]) -> Spoken:
    """Speaker of a content, from `metadata.speaker` or a prefix such as `Ada:`, and the remaining text."""
    text = unicodedata.normalize("NFKC", content).replace("\u2019", "'").replace("\u2018", "'")
    named = metadata.get("speaker")
    speaker = " ".join(named.split())[:80] if isinstance(named, str) and named.strip() else None
    match = _SPEAKER.match(text)
    if match is None or match["name"].lower() in _NOT_A_SPEAKER or not _is_name(match["name"]):
        return Spoken(speaker, None, text)
    return Spoken(speaker or match["name"].strip(), match["date"], text[match.end() :])


def _is_name(text: str) -> bool:
    words = text.split()
    return len(words) <= 3 and all(word[0].isupper() or not word[0].isascii() for word in words)


def sentences(text: str) -> Iterator[Sentence]:
    """The sentences of a text, at most `MAX_TOKENS` tokens of them."""
    tokens: list[Token] = []
    for count, match in enumerate(_TOKEN.finditer(_NEGATED.sub(r"\1 n't", text).replace("\n", " \u2026 "))):
        if count >= MAX_TOKENS:
            break
        part = match.group()
        if part in _ENDS:
            if tokens:
                yield Sentence(tuple(tokens), part in "?？؟")
            tokens = []
        else:
            tokens.append(Token(part, part.casefold(), part[0].isupper()))
    if tokens:
        yield Sentence(tuple(tokens), question=False)
