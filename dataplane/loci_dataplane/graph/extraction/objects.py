"""Reading the object that stands after a verb phrase."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from loci_dataplane.graph.extraction.dates import Found
from loci_dataplane.graph.extraction.names import Name
from loci_dataplane.graph.extraction.rules import Language, Takes
from loci_dataplane.graph.extraction.text import Token
from loci_dataplane.graph.extraction.words import FUNCTION, GENERIC, NOT_NOUNS, OCCUPATIONS, word_set
from loci_dataplane.model.graph import Entity, Kind

_LEADING: Final = word_set(
    "the a an my our some any to all his her their el la los las le les l ' il lo gli der die das den pas keinen kein"
)
_ARTICLES: Final = word_set("the a an my our")
_EMPTY_VERBS: Final = word_set(
    "think say see hear know be believe have get being having seeing hearing knowing thinking getting it hang"
)
_LIGHT: Final = word_set(
    "making helping working running going doing finding spending taking giving trying using creating putting keeping "
    "improving letting looking living showing meeting being bringing watching sharing adding starting building"
)
"""Verbs that say nothing without their object."""
_MAX_WORDS: Final = 5
_AGES: Final = range(3, 120)
_AFTER_AGE: Final = frozenset({"", ",", "and", "but", "now", "today", "years", "year", "last", "this", "on", "in"})
Parsed = tuple[Entity, int]


@dataclass(frozen=True, slots=True)
class Sight:
    """A sentence with the names and dates that were found in it, by where they begin."""

    tokens: Sequence[Token]
    names: Mapping[int, Name]
    dates: Mapping[int, Found]
    lowercase: bool
    """Written without any capital: a name shows by its place alone."""

    def lower(self, place: int) -> str:
        """The word at a place, case-folded; empty beyond the end."""
        return self.tokens[place].lower if 0 <= place < len(self.tokens) else ""


def read(sight: Sight, place: int, takes: Takes, language: Language) -> Parsed | None:
    """The object that begins at a place, and where it ends; None when there is none of that kind."""
    return _READERS[takes](sight, place, language)


def _name(sight: Sight, place: int, language: Language) -> Parsed | None:
    return _proper(sight, place, language, None)


def _place(sight: Sight, place: int, language: Language) -> Parsed | None:
    return _proper(sight, place, language, Kind.PLACE)


def _person(sight: Sight, place: int, language: Language) -> Parsed | None:
    return _proper(sight, place, language, Kind.PERSON)


def _organisation(sight: Sight, place: int, language: Language) -> Parsed | None:
    return _proper(sight, place, language, Kind.ORGANISATION)


def _proper(sight: Sight, place: int, language: Language, kind: Kind | None) -> Parsed | None:
    start = place + (sight.lower(place) in {"the", "my", "our"})
    if found := sight.names.get(start):
        return Entity(found.entity.name, kind or found.entity.kind), found.end
    if not sight.lowercase or start != place:
        return None
    end = start
    while end < len(sight.tokens) and end - start < 2 and _plain(sight.tokens[end], language):
        end += 1
    if end == start or not (end == len(sight.tokens) or not _plain(sight.tokens[end], language)):
        return None
    return Entity(" ".join(token.text for token in sight.tokens[start:end]), kind or Kind.NAME), end


def _plain(token: Token, language: Language) -> bool:
    return token.text.isalpha() and token.lower not in language.boundaries and token.lower not in FUNCTION | GENERIC


def _phrase(sight: Sight, place: int, language: Language) -> Parsed | None:
    """Up to five words: to the next sign or function word."""
    while sight.lower(place) in _LEADING:
        place += 1
    if found := sight.names.get(place):
        return found.entity, found.end
    words: list[str] = []
    end = place
    while end < len(sight.tokens) and len(words) < _MAX_WORDS:
        token = sight.tokens[end]
        if words and words[-1].endswith("ing") and token.lower in _ARTICLES | {"to"}:
            words += [token.lower] * (token.lower == "to")
            end += 1
            continue
        if not token.word or token.lower in language.boundaries or (end in sight.dates and words):
            break
        words.append(token.text if token.capital else token.lower)
        end += 1
    while words and (words[-1] in {"of", "to", "up", "out"} or words[-1].endswith("ly")):
        words.pop()
    telling = bool(words) and words[0] not in _EMPTY_VERBS and words[-1] not in NOT_NOUNS
    if not telling or (len(words) == 1 and (words[0] in GENERIC | _LIGHT or len(words[0]) < 2)):
        return None
    return Entity(" ".join(words), Kind.TOPIC), end


def _occupation(sight: Sight, place: int, language: Language) -> Parsed | None:
    """`a software engineer`: up to three words of which the last is an occupation."""
    del language
    start = place + (sight.lower(place) in {"a", "an", "the"})
    for end in range(start + 1, min(start + 4, len(sight.tokens) + 1)):
        if sight.lower(end - 1) in OCCUPATIONS and sight.lower(end) not in OCCUPATIONS:
            words = [token.lower for token in sight.tokens[start:end]]
            return None if set(words) & FUNCTION else (Entity(" ".join(words), Kind.TOPIC), end)
    return None


def _number(sight: Sight, place: int, language: Language) -> Parsed | None:
    """An age: `34`, `34 years old`."""
    del language
    digits, following = sight.lower(place), sight.lower(place + 1)
    if not digits.isdecimal() or len(digits) > 3 or int(digits) not in _AGES or following not in _AFTER_AGE:
        return None
    if following in {"years", "year"} and sight.lower(place + 2) != "old":
        return None
    return Entity(digits, Kind.QUANTITY), place + 1


def _date(sight: Sight, place: int, language: Language) -> Parsed | None:
    del language
    found = sight.dates.get(place + (sight.lower(place) in {"on", "the"}))
    return (Entity(found.text, Kind.DATE), found.end) if found else None


def _nothing(sight: Sight, place: int, language: Language) -> Parsed | None:
    del sight, place, language
    return None


_READERS: Final[Mapping[Takes, Callable[[Sight, int, Language], Parsed | None]]] = {
    Takes.PLACE: _place,
    Takes.NAME: _name,
    Takes.PERSON: _person,
    Takes.ORGANISATION: _organisation,
    Takes.PHRASE: _phrase,
    Takes.OCCUPATION: _occupation,
    Takes.NUMBER: _number,
    Takes.DATE: _date,
    Takes.NOTHING: _nothing,
}
