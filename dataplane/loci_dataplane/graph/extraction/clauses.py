"""The front part of a clause: its subject, and the verb phrases that may follow it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from loci_dataplane.graph.extraction.objects import Sight
from loci_dataplane.graph.extraction.rules import Language, Rule
from loci_dataplane.graph.extraction.words import KIN, word_set
from loci_dataplane.model.graph import Entity, Kind

_LONGEST: Final = 5
_MAX_PASSED: Final = 6
_BE: Final = word_set("is 's are 're am 'm be been")
_OWN: Final = word_set("my our")
_NOW: Final = word_set("now nowadays")
_CONDITIONS: Final = word_set("if when imagine suppose")


@dataclass(frozen=True, slots=True)
class Saying:
    """Speaker and time of a statement."""

    speaker: Entity
    at: datetime


@dataclass(frozen=True, slots=True)
class Reading:
    """A sentence that is read in a language."""

    sight: Sight
    saying: Saying
    language: Language

    def lower(self, place: int) -> str:
        """The word at a place, case-folded; empty beyond the ends."""
        return self.sight.lower(place)


@dataclass(frozen=True, slots=True)
class Subject:
    """A subject over tokens `start` to `end`; `first` is the speaker's "I", which needs no inflected verb."""

    entity: Entity
    start: int
    end: int
    first: bool


@dataclass(frozen=True, slots=True)
class Verb:
    """A verb phrase that ends before token `end`."""

    rules: tuple[Rule, ...]
    end: int
    negations: frozenset[str]
    now: bool


def subjects(reading: Reading) -> Iterator[Subject]:
    """The subjects of a sentence's clauses, without those of conditions, wishes and others' views."""
    if reading.lower(0) in _CONDITIONS:
        return
    for place in range(len(reading.sight.tokens)):
        subject = _subject(reading, place)
        before = reading.lower(place - 2) if reading.lower(place - 1) == "that" else reading.lower(place - 1)
        if subject and before not in reading.language.doubtful:
            yield subject


def _subject(reading: Reading, place: int) -> Subject | None:
    word = reading.lower(place)
    speaker = reading.saying.speaker
    if word in reading.language.first_person:
        return Subject(speaker, place, place + 1, first=True)
    if word == "user" and reading.lower(place - 1) in {"", "the"}:
        return Subject(speaker, place, place + 1, first=False)
    if word in _OWN and reading.lower(place + 1) in KIN:
        return _relative(reading, place)
    if name := reading.sight.names.get(place):
        owned = {reading.lower(place - 1), reading.lower(place - 2)} & _OWN
        return None if owned else Subject(name.entity, place, name.end, first=False)
    return _left_out(reading, place)


def _relative(reading: Reading, place: int) -> Subject:
    """`my sister`, with the name that may follow."""
    if named := reading.sight.names.get(place + 2):
        return Subject(named.entity, place, named.end, first=False)
    relation = f"{reading.saying.speaker.name}'s {reading.lower(place + 1)}"
    return Subject(Entity(relation, Kind.PERSON), place, place + 2, first=False)


def _left_out(reading: Reading, place: int) -> Subject | None:
    """The speaker where no subject is written: `Lives in Berlin`, `Call me Ada`, `vivo en Madrid`."""
    word, language = reading.lower(place), reading.language
    noted = word in language.verbs and word.endswith(("s", "ed"))
    called = (word, reading.lower(1)) == ("call", "me")
    if place == 0 and (noted or called):
        return Subject(reading.saying.speaker, 0, 0, first=called)
    begins = place == 0 or not reading.sight.tokens[place - 1].word or reading.lower(place - 1) in language.joins
    return Subject(reading.saying.speaker, place, place, first=True) if language.subjectless and begins else None


def verbs(reading: Reading, subject: Subject) -> Iterator[Verb]:
    """The verb phrases that may follow a subject, past adverbs, auxiliaries and a negation; longer ones first."""
    language, place = reading.language, subject.end
    passed: list[str] = []
    while place < len(reading.sight.tokens) and len(passed) < _MAX_PASSED:
        word = reading.lower(place)
        if word == "like" and passed and passed[-1] in _BE:
            return  # "is like" compares
        if subject.first or passed or language.verbs.get(word, word) != word:
            yield from _phrases(reading, place, passed)
        if word not in language.skipped and word not in language.negations and word != "do":
            return
        passed.append(word)
        place += 1


def _phrases(reading: Reading, place: int, passed: Sequence[str]) -> Iterator[Verb]:
    language = reading.language
    tokens = reading.sight.tokens[place : place + _LONGEST]
    words = tuple(language.verbs.get(token.lower, token.lower) for token in tokens)
    moved_from = reading.sight.names.get(place + 2) if words[1:2] == ("from",) else None
    if moved_from and reading.lower(moved_from.end) == "to" and (rules := language.rules.get((words[0], "to"))):
        yield Verb(rules, moved_from.end + 1, frozenset(), now=False)
    for length in range(len(words), 0, -1):
        if rules := language.rules.get(words[:length]):
            negations = frozenset(passed) & language.negations
            yield Verb(rules, place + length, negations, not _NOW.isdisjoint(passed))
