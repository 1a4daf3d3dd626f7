"""Facts from possessives: `my sister Anna`, `my favourite colour is blue`, `Anna's email is ...`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from loci_dataplane.graph.extraction.clauses import Reading, Saying
from loci_dataplane.graph.extraction.objects import Parsed, Sight, read
from loci_dataplane.graph.extraction.rules import Language, Takes
from loci_dataplane.graph.extraction.words import ATTRIBUTES, FUNCTION, KIN, ONE_OF_A_KIND
from loci_dataplane.model.graph import Entity, Fact, Kind

_IS: Final = frozenset({"is", "'s", "are"})
_CALLED: Final = frozenset({"called", "named"})
_FAVOURITE: Final = frozenset({"favourite", "favorite", "fave"})


def possessives(reading: Reading) -> Iterator[Fact]:
    """The facts that follow a possessive in a sentence."""
    sight, saying = reading.sight, reading.saying
    for place in range(len(sight.tokens)):
        owner = _owner(sight, saying, place)
        if owner is None:
            continue
        word = sight.lower(place + 1)
        if word in _FAVOURITE:
            yield from _favourite(reading, owner, place + 2)
        elif word in KIN:
            yield from _relative(reading, owner, place + 1)
        else:
            yield from _attribute(reading, owner, place + 1)


def _owner(sight: Sight, saying: Saying, place: int) -> Entity | None:
    """Whose it is, when a possessive ends at a place."""
    word = sight.lower(place)
    if word in {"my", "our"}:
        return saying.speaker
    if word != "'s":
        return None
    if sight.lower(place - 1) == "user":
        return saying.speaker
    return next((name.entity for name in sight.names.values() if name.end == place), None)


def _favourite(reading: Reading, owner: Entity, place: int) -> Iterator[Fact]:
    """`favourite <what> is <object>`."""
    sight = reading.sight
    end = place
    while end < len(sight.tokens) and end - place < 3 and sight.lower(end) not in _IS | FUNCTION:
        end += 1
    if end == place or sight.lower(end) not in _IS:
        return
    parsed = read(sight, _past_adverbs(sight, end + 1), Takes.PHRASE, reading.language)
    if parsed:
        what = " ".join(token.lower for token in sight.tokens[place:end])
        yield _fact(owner, f"favourite {what}", parsed[0], reading.saying, exclusive=True)


def _relative(reading: Reading, owner: Entity, place: int) -> Iterator[Fact]:
    """`sister Anna`, `sister's name is Anna`, `dog is called Max`."""
    sight = reading.sight
    kin, at = sight.lower(place), place + 1
    if sight.lower(at) == "'s" and sight.lower(at + 1) == "name":
        at += 2
    if sight.lower(at) == ",":
        at += 1
    elif sight.lower(at) in _IS:
        at += 1
        if sight.lower(at) not in _CALLED and sight.lower(at - 2) != "name" and kin not in ONE_OF_A_KIND:
            return
    if sight.lower(at) in _CALLED:
        at += 1
    name = sight.names.get(at)
    if name and sight.lower(place - 1) in {"my", "our", "'s"}:
        named = Entity(name.entity.name, Kind.PERSON)
        yield _fact(owner, kin, named, reading.saying, exclusive=kin in ONE_OF_A_KIND)


def _attribute(reading: Reading, owner: Entity, place: int) -> Iterator[Fact]:
    """`email is ...`, `birthday is on 3 May`, `phone number is ...`."""
    sight = reading.sight
    attribute, end = sight.lower(place), place + 1
    if attribute not in ATTRIBUTES:
        return
    if sight.lower(end) in {"number", "address", "title"}:
        end += 1
    if sight.lower(end) not in _IS or sight.lower(end + 1) in {"n't", "not"}:
        return
    parsed = _value(sight, _past_adverbs(sight, end + 1), attribute, reading.language)
    if parsed:
        yield _fact(owner, attribute, parsed[0], reading.saying, exclusive=True)


def _value(sight: Sight, place: int, attribute: str, language: Language) -> Parsed | None:
    if place >= len(sight.tokens):
        return None
    if attribute == "birthday":
        return read(sight, place, Takes.DATE, language)
    if attribute in {"email", "phone"}:
        token = sight.tokens[place].text
        return (Entity(token, Kind.NAME), place + 1) if "@" in token or token[0].isdecimal() else None
    if attribute in {"name", "nickname", "company", "employer", "hometown"}:
        return read(sight, place, Takes.NAME, language)
    return read(sight, place, Takes.PHRASE, language)


def _past_adverbs(sight: Sight, place: int) -> int:
    while sight.lower(place) in {"now", "also", "still", "actually", "definitely", "currently", "probably"}:
        place += 1
    return place


def _fact(owner: Entity, predicate: str, value: Entity, saying: Saying, *, exclusive: bool) -> Fact:
    return Fact(owner, predicate, value, saying.at, saying.at, predicate, exclusive)
