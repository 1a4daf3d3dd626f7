"""Proper names by their form: capitals within a sentence, titles, katakana, quotes, handles and addresses."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from loci_dataplane.graph.extraction.text import Token
from loci_dataplane.graph.extraction.words import (
    NOT_NAMES,
    ORGANISATION_WORDS,
    PERSON_VERBS,
    PLACE_PREPOSITIONS,
    PLACE_WORDS,
    TITLES,
)
from loci_dataplane.model.graph import Entity, Kind

_JOINERS: Final = frozenset({"of", "de", "da", "del", "van", "von", "der", "la", "le", "&"})
_QUOTED: Final = re.compile(
    r'"([A-ZÀ-Þ0-9][^"\n]{1,60})"|“([^”\n]{2,60})”|«\s?([^»\n]{2,60}?)\s?»|[「『]([^」』\n]{2,40})[」』]'
)
_KATAKANA: Final = re.compile(r"[一-龯]{0,6}[ァ-ヴ][ァ-ヴー・]{2,30}")
_HONORIFIC: Final = re.compile(r"([一-龯ァ-ヴー]{1,8})(?:さん|ちゃん|くん|様|先生)")
_MAX_WORDS: Final = 5
_HEADS_A_CLAUSE: Final = frozenset({"is", "was", "has", "had", "and", "does", "did", ","})
_SENTENCE_START: Final = frozenset({":", '"', "(", "-", "–", "—", "“", "*", "["})


@dataclass(frozen=True, slots=True)
class Name:
    """A proper name over tokens `start` to `end`; `sure` unless its capital may be that of a sentence's start."""

    start: int
    end: int
    entity: Entity
    sure: bool


@dataclass(frozen=True, slots=True)
class _Trusted:
    people: frozenset[str]
    known: frozenset[str]


def names(
    tokens: Sequence[Token], people: Iterable[str] = (), known: Iterable[str] = (), *, nouns_capital: bool = False
) -> list[Name]:
    """The proper names of a sentence.

    Args:
        tokens: The sentence.
        people: Case-folded words that name somebody, such as the speaker.
        known: Case-folded words that are names wherever they stand.
        nouns_capital: The language writes each noun with a capital, as German does: such a word alone is a topic.
    """
    trusted = _Trusted(frozenset(people), frozenset(known))
    found: list[Name] = []
    place = 0
    while place < len(tokens):
        end = _extent(tokens, place)
        if end == place:
            place += 1
            continue
        name = _name(tokens, place, end, trusted, nouns_capital=nouns_capital)
        if name:
            found.append(name)
        place = end
    return found


def quoted(text: str) -> list[Entity]:
    """Titles in quotes, and names in scripts without capitals that show by their form."""
    works = [Entity(next(filter(None, match.groups())).strip(" ,."), Kind.WORK) for match in _QUOTED.finditer(text)]
    people = [Entity(match[1], Kind.PERSON) for match in _HONORIFIC.finditer(text)]
    katakana = [Entity(match[0].strip("・"), Kind.NAME) for match in _KATAKANA.finditer(text)]
    known = " ".join(entity.name for entity in [*works, *people])
    return [*works, *people, *(entity for entity in katakana if entity.name not in known)]


def capitalised(tokens: Sequence[Token], place: int) -> bool:
    """Whether a word that may belong to a name stands here."""
    if place >= len(tokens):
        return False
    token = tokens[place]
    if token.text[0] in "@#":
        return True
    return token.capital and token.lower not in NOT_NAMES


def _extent(tokens: Sequence[Token], place: int) -> int:
    """The end of the run of capitals that begins here, which may continue after `of`, `de` and similar words."""
    if not capitalised(tokens, place) and not _titled(tokens, place):
        return place
    end = place + 1
    while end < len(tokens) and end - place < _MAX_WORDS:
        if capitalised(tokens, end) or (tokens[end].text.isdecimal() and tokens[end - 1].capital and end - place < 3):
            end += 1
        elif tokens[end].lower in _JOINERS and capitalised(tokens, end + 1):
            end += 2
        else:
            break
    return end


def _titled(tokens: Sequence[Token], place: int) -> bool:
    """Whether a title stands here, with a name after it."""
    return tokens[place].lower in TITLES and tokens[place].capital and capitalised(tokens, place + 1)


def _name(tokens: Sequence[Token], start: int, end: int, trusted: _Trusted, *, nouns_capital: bool) -> Name | None:
    first = start == 0 or tokens[start - 1].text in _SENTENCE_START
    words = tokens[start:end]
    known = words[0].lower in trusted.people | trusted.known
    alone = len(words) == 1
    following = tokens[end].lower if end < len(tokens) else ""
    sure = not first or known or not alone or words[0].text[0] in "@#" or following in PERSON_VERBS | {"'s"}
    if first and alone and not sure and (words[0].lower.endswith(("ing", "ly")) or following not in _HEADS_A_CLAUSE):
        return None
    if alone and words[0].text.isupper() and len(words[0].text) > 5 and not known:
        return None  # shouted
    kind = _kind(tokens, start, end, person=words[0].lower in trusted.people)
    if nouns_capital and alone and kind is Kind.NAME:
        kind = Kind.TOPIC
    return Name(start, end, Entity(_written(words), kind), sure)


def _kind(tokens: Sequence[Token], start: int, end: int, *, person: bool) -> Kind:
    words = {token.lower for token in tokens[start:end]}
    before = tokens[start - 1].lower if start else ""
    if before == "the" and start > 1:
        before = tokens[start - 2].lower
    following = tokens[end].lower if end < len(tokens) else ""
    if words & ORGANISATION_WORDS:
        return Kind.ORGANISATION
    if person or tokens[start].lower in TITLES or following in PERSON_VERBS or tokens[start].text[0] == "@":
        return Kind.PERSON
    if before in PLACE_PREPOSITIONS or words & PLACE_WORDS:
        return Kind.PLACE
    return Kind.TOPIC if tokens[start].text[0] == "#" else Kind.NAME


def _written(words: Sequence[Token]) -> str:
    return " ".join(token.text for token in words).strip("#")
