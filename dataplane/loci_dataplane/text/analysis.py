"""Index terms of a text. Stored text and queries go through the same analysis, in every store.

Folded text (`folding`) is cut into tokens by script (`tokens`), each of which gives one or more terms:

- a word gives its stem; a compound (`foo_bar`, `e-bike`, `ada@example.com`) its parts and, when short, all of it;
- a number with separators (a date, a version) gives itself, its leading groups and each group;
- Chinese, Japanese and Korean give single characters and pairs of them, so that a word inside a run is found;
- Thai, Lao, Khmer and Burmese give the words of ICU's dictionaries, and triples of characters where those err.

Terms may overlap and repeat: their count is the term frequency. No term holds white space; some hold punctuation
(`c++`, `3.11`). Cost: about 0.6 µs an English word, 3 µs others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import regex
from icu4py.breakers import WordBreaker

from loci_dataplane.text.folding import fold
from loci_dataplane.text.stemming import stem
from loci_dataplane.text.tokens import Kind, tokens

LONGEST_TERM: Final = 128
"""Characters; longer terms are cut, in stored text and in queries alike."""
_JOINED_PARTS: Final = 4
"""A path or an address of more parts is not a term of its own; its parts are."""
_PART: Final = regex.compile(r"\d+|[\p{L}\p{M}\p{N}--\d]+", regex.V1)
_SIGN: Final = ("++", "#")
_THOUSANDS: Final = regex.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?")
_GROUP: Final = regex.compile(r"\d+")


def terms(text: str) -> list[str]:
    """The terms of a text in order, as they are indexed; empty when it has neither letter, digit nor pictogram."""
    found: list[str] = []
    for kind, token in tokens(fold(text)):
        found += _TERMS[kind](token)
    return found


def word_terms(word: str) -> list[str]:
    """A word's terms: its stem; for a compound also its parts."""
    if word.isalpha() or word.isdigit():  # most words: no need to look for parts
        return [_term(stem(word))]
    whole, parts = joined_compound(word), compound_parts(word)
    if len(parts) > 2 and parts[-1].isdigit():  # noqa: PLR2004 - `iPhone15` is found as `iPhone`, too
        whole += joined_compound(word[: -len(parts[-1])].rstrip("_"))
    return [*whole, *parts] if len(parts) > 1 else whole or parts


def compound_parts(word: str) -> list[str]:
    """The stems of a word's parts; one for a simple word."""
    return [_term(stem(part)) for part in _PART.findall(word.removesuffix("'s"))]


def joined_compound(word: str) -> list[str]:
    """The one term for all of a compound, or for a name that ends in a sign (`c++`); empty when it has none."""
    if word.endswith(_SIGN):
        return [_term(word)]
    bare = word.removesuffix("'s")
    parts = _PART.findall(bare)
    together = "".join(parts)
    if len(parts) > 1 and (len(parts) <= _JOINED_PARTS or together == bare):
        return [_term(stem(together))]
    return []


def number(text: str) -> str:
    """A number with separators as one term, written one way: no commas in thousands, dates with hyphens."""
    plain = text.removeprefix("v")
    plain = plain.replace(",", "") if _THOUSANDS.fullmatch(plain) else plain
    return _term(plain.replace("/", "-"))


def number_terms(text: str) -> list[str]:
    """A number's terms: its leading groups (`2026`, `2026-01`, `2026-01-31`) and its other groups."""
    plain = number(text)
    groups = list(_GROUP.finditer(plain))
    return [*(plain[: group.end()] for group in groups), *(group[0] for group in groups[1:])]


def pairs(run: str) -> list[str]:
    """Each two neighbouring characters; the character itself when there is one."""
    return [run[i : i + 2] for i in range(len(run) - 1)] or [run]


def triples(word: str) -> list[str]:
    """Each three neighbouring characters; the word itself when it is shorter."""
    return [word[i : i + 3] for i in range(len(word) - 2)] or [word]


def dictionary_words(run: str) -> list[str]:
    """The words of a run of a script without spaces, by ICU's dictionaries."""
    return list(WordBreaker(run, "root"))


def _run_terms(run: str) -> list[str]:
    return [*run, *pairs(run)] if len(run) > 1 else [run]


def _dictionary_terms(run: str) -> list[str]:
    short = [word for word in dictionary_words(run) if len(word) < 3]  # noqa: PLR2004 - longer ones have triples
    return [*short, *(triples(run) if len(run) > 2 else ())]  # noqa: PLR2004


def _term(text: str) -> str:
    return text[:LONGEST_TERM]


_TERMS: Final[Mapping[Kind, Callable[[str], Sequence[str]]]] = {
    Kind.WORD: word_terms,
    Kind.NUMBER: number_terms,
    Kind.CJK: _run_terms,
    Kind.HANGUL: _run_terms,
    Kind.DICTIONARY: _dictionary_terms,
    Kind.SYMBOL: lambda symbol: [symbol],
}
