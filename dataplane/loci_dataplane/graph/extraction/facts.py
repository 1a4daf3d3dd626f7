"""Facts of a sentence: a subject, a verb phrase from a language's table, an object."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from loci_dataplane.graph.extraction.dates import Found
from loci_dataplane.graph.extraction.objects import Parsed, Sight, read
from loci_dataplane.graph.extraction.rules import Language, Rule, Takes
from loci_dataplane.graph.extraction.words import KIN
from loci_dataplane.model.graph import Entity, Fact, Kind

_LONGEST: Final = 5
_MAX_CLAUSES: Final = 4
_MAX_LISTED: Final = 6
_ENUMERATED: Final = frozenset({Takes.PHRASE, Takes.NAME, Takes.PERSON, Takes.PLACE})
_RECENT: Final = timedelta(days=60)
_CALL_ME: Final = ("call", "me")
_BE: Final = frozenset({"is", "'s", "are", "'re", "am", "'m", "be", "been"})
_OWN: Final = frozenset({"my", "our"})
_NOW: Final = frozenset({"now", "nowadays", "instead", "anymore"})
_OVER: Final = frozenset({"over", "to", "instead"})


@dataclass(frozen=True, slots=True)
class Saying:
    """Who says it, and when."""

    speaker: Entity
    at: datetime


@dataclass(frozen=True, slots=True)
class Subject:
    """A subject that ends before token `end`; `first` is the speaker, who needs no inflected verb."""

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


def facts(sight: Sight, saying: Saying, language: Language) -> Iterator[Fact]:
    """What a sentence states."""
    for subject in _subjects(sight, saying, language):
        before = sight.lower(subject.start - 1)
        before = sight.lower(subject.start - 2) if before == "that" else before
        if before in language.doubtful or sight.lower(0) in {"if", "when", "imagine", "suppose"}:
            continue
        yield from _clauses(sight, saying, subject, language)


def _clauses(sight: Sight, saying: Saying, subject: Subject, language: Language) -> Iterator[Fact]:
    """The facts of a subject's verb phrase, and of those that follow it after `and`."""
    current: Subject | None = subject
    for _ in range(_MAX_CLAUSES):
        if current is None:
            return
        stated, end = _clause(sight, saying, current, language)
        yield from stated
        joined = stated and sight.lower(end) in language.joins
        current = replace(current, start=end, end=end + 1) if joined else None


def _clause(sight: Sight, saying: Saying, subject: Subject, language: Language) -> tuple[list[Fact], int]:
    """The facts of the first verb phrase that states any, and where it ends."""
    for verb in _verbs(sight, subject, language):
        stated, end = _stated(sight, saying, subject, verb, language)
        if stated:
            return stated, end
    return [], subject.end


def _subjects(sight: Sight, saying: Saying, language: Language) -> Iterator[Subject]:
    for place in range(len(sight.tokens)):
        word = sight.lower(place)
        name = sight.names.get(place)
        if word in language.first_person or (word == "user" and sight.lower(place - 1) in {"", "the"}):
            yield Subject(saying.speaker, place, place + 1, word in language.first_person)
        elif word in _OWN and sight.lower(place + 1) in KIN:
            named = sight.names.get(place + 2)
            relation = Entity(f"{saying.speaker.name}'s {sight.lower(place + 1)}", Kind.PERSON)
            yield Subject(named.entity if named else relation, place, named.end if named else place + 2, first=False)
        elif name and _OWN.isdisjoint({sight.lower(name.start - 1), sight.lower(name.start - 2)}):
            yield Subject(name.entity, name.start, name.end, first=False)
        elif place == 0 and ((word in language.verbs and word.endswith(("s", "ed"))) or _CALL_ME == _words(sight)):
            yield Subject(saying.speaker, 0, 0, first=word == "call")
        elif language.subjectless and _begins(sight, place):
            yield Subject(saying.speaker, place, place, first=True)


def _words(sight: Sight) -> tuple[str, str]:
    return sight.lower(0), sight.lower(1)


def _begins(sight: Sight, place: int) -> bool:
    """Whether a clause begins here."""
    return place == 0 or not sight.tokens[place - 1].word or sight.lower(place - 1) in {"y", "e", "pero", "mas"}


def _verbs(sight: Sight, subject: Subject, language: Language) -> Iterator[Verb]:
    """The verb phrases that may follow a subject, past adverbs, auxiliaries and a negation; longer ones first."""
    place, passed = subject.end, list[str]()
    while place < len(sight.tokens):
        words = tuple(language.verbs.get(token.lower, token.lower) for token in sight.tokens[place : place + _LONGEST])
        if (moved := _moved(sight, place, words)) and (rules := language.rules.get((words[0], "to"))):
            yield Verb(rules, moved, frozenset(), now=False)
        inflected = bool(words) and words[0] != sight.lower(place)
        if words[:1] == ("like",) and passed[-1:] and passed[-1] in _BE:
            return  # "is like" compares
        for length in range(len(words), 0, -1):
            if (rules := language.rules.get(words[:length])) and (subject.first or inflected or passed):
                negations = frozenset(passed) & language.negations
                yield Verb(rules, place + length, negations, not _NOW.isdisjoint(passed))
        word = sight.lower(place)
        if word not in language.skipped and word not in language.negations and word != "do":
            return
        passed.append(word)
        place += 1


def _moved(sight: Sight, place: int, words: Sequence[str]) -> int | None:
    """The end of `moved from <somewhere> to`."""
    name = sight.names.get(place + 2) if tuple(words[1:2]) == ("from",) else None
    return name.end + 1 if name and sight.lower(name.end) == "to" else None


def _stated(
    sight: Sight, saying: Saying, subject: Subject, verb: Verb, language: Language
) -> tuple[list[Fact], int]:
    for rule in verb.rules:
        parsed = read(sight, verb.end, rule.takes, language)
        found = Entity(rule.value, Kind.TOPIC) if rule.value else parsed[0] if parsed else None
        end = parsed[1] if parsed else verb.end
        if found is None and not (rule.optional and _closes(sight, verb.end, language)):
            continue
        if found and found.key == subject.entity.key:
            continue
        stated = list(_facts(sight, saying, subject.entity, rule, verb, found, end))
        more, end = _listed(sight, saying, subject.entity, rule, verb, end, language)
        return stated + more, end
    return [], verb.end


def _closes(sight: Sight, place: int, language: Language) -> bool:
    """Whether a clause ends here, so that an object is really missing."""
    word = sight.lower(place)
    return not word or not sight.tokens[place].word or word in language.boundaries or place in sight.dates


def _facts(
    sight: Sight, saying: Saying, subject: Entity, rule: Rule, verb: Verb, found: Entity | None, end: int
) -> Iterator[Fact]:
    valid_from, ranked_at = _since(sight, saying, rule, end)
    predicate, ends = rule.predicate, rule.ends
    now = verb.now or sight.lower(end) in _NOW or (sight.lower(end) == "these" and sight.lower(end + 1) == "days")
    if verb.negations:
        over = bool(verb.negations & {"longer", "stopped"}) or sight.lower(end) in {"anymore", "any"}
        if rule.ends or (rule.event and "never" in verb.negations) or (rule.value is None and rule.takes is Takes.OCCUPATION and not over):
            return  # "I'm not a doctor" ends nothing that was said
        ends, now = rule.opposite is None or over, False
        predicate = rule.predicate if ends else rule.opposite or rule.predicate
    exclusive = rule.exclusive or (now and rule.predicate == "prefers")
    slot = rule.slot or rule.predicate
    yield Fact(subject, predicate, found, valid_from, ranked_at, slot, exclusive and not ends, ends)
    if rule.predicate == "prefers" and sight.lower(end) in _OVER and not ends:
        start = end + (2 if sight.lower(end + 1) == "of" else 1)
        other = _other(sight, start)
        if other:
            yield Fact(subject, predicate, other, valid_from, ranked_at, slot, ends=True)


def _other(sight: Sight, place: int) -> Entity | None:
    """What something is preferred to: the next word."""
    if place >= len(sight.tokens) or not sight.tokens[place].word:
        return None
    name = sight.names.get(place)
    return name.entity if name else Entity(sight.lower(place), Kind.TOPIC)


def _listed(
    sight: Sight, saying: Saying, subject: Entity, rule: Rule, verb: Verb, end: int, language: Language
) -> tuple[list[Fact], int]:
    """Further objects of an enumeration, `tea, cake and jazz`, and where it ends."""
    listed: list[Fact] = []
    if rule.exclusive or rule.ends or rule.takes not in _ENUMERATED:
        return listed, end
    for _ in range(_MAX_LISTED):
        comma = sight.lower(end) == ","
        at = end + 1 if comma or sight.lower(end) in language.joins else end
        at += comma and sight.lower(at) in language.joins
        parsed = read(sight, at, rule.takes, language) if at > end and not _verb_at(sight, at, language) else None
        if parsed is None or (comma and not _goes_on(sight, parsed, language)):
            break
        listed += _facts(sight, saying, subject, rule, verb, parsed[0], parsed[1])
        end = parsed[1]
    return listed, end


def _verb_at(sight: Sight, place: int, language: Language) -> bool:
    """Whether the verb of another clause stands here, rather than another object."""
    return sight.lower(place) in language.verbs or (language.verbs.get(sight.lower(place)),) in language.rules


def _goes_on(sight: Sight, parsed: Parsed, language: Language) -> bool:
    """After a comma, only what is followed by another part belongs to the enumeration."""
    return sight.lower(parsed[1]) in {",", "", *language.joins}


def _since(sight: Sight, saying: Saying, rule: Rule, end: int) -> tuple[datetime, datetime]:
    """From when it holds, and the moment that decides which of two facts is later."""
    found = _dated(sight, end, event=rule.event)
    if found is None or found.day == saying.at.date():
        return saying.at, saying.at
    moment = found.moment
    recent = saying.at - moment < _RECENT or saying.at.date().isoformat().startswith(found.text)
    return moment, max(saying.at, moment) if recent else moment


def _dated(sight: Sight, end: int, *, event: bool) -> Found | None:
    """The date after `since` right behind the object; of an event, the sentence's only date."""
    if sight.lower(end) == "since":
        return sight.dates.get(end + 1)
    return next(iter(sight.dates.values())) if event and len(sight.dates) == 1 else None


def by_place(found: Sequence[Found]) -> dict[int, Found]:
    """Dates by where they begin."""
    return {date.start: date for date in found}
