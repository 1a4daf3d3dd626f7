"""Facts of a sentence: a subject, a verb phrase from a language's table, an object."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from loci_dataplane.graph.extraction.clauses import Reading, Subject, Verb, subjects, verbs
from loci_dataplane.graph.extraction.dates import Found
from loci_dataplane.graph.extraction.objects import Parsed, read
from loci_dataplane.graph.extraction.rules import Rule, Takes
from loci_dataplane.graph.extraction.words import word_set
from loci_dataplane.model.graph import Entity, Fact, Kind

_MAX_CLAUSES: Final = 4
_MAX_LISTED: Final = 6
_ENUMERATED: Final = frozenset({Takes.PHRASE, Takes.NAME, Takes.PERSON, Takes.PLACE})
_RECENT: Final = timedelta(days=60)
_NOW: Final = word_set("now nowadays instead anymore")
_OVER: Final = word_set("over to instead")
_NO_MORE: Final = word_set("longer stopped")


@dataclass(frozen=True, slots=True)
class Clause:
    """A subject and the verb phrase that is read of it."""

    subject: Entity
    rule: Rule
    verb: Verb


@dataclass(frozen=True, slots=True)
class Claim:
    """Predicate of a clause after applying its negation."""

    predicate: str
    ends: bool
    exclusive: bool


def facts(reading: Reading) -> Iterator[Fact]:
    """Statement of a sentence."""
    for subject in subjects(reading):
        yield from _clauses(reading, subject)


def _clauses(reading: Reading, subject: Subject) -> Iterator[Fact]:
    """The facts of a subject's verb phrase, and of those that follow it after `and`."""
    current: Subject | None = subject
    for _ in range(_MAX_CLAUSES):
        if current is None:
            return
        stated, end = _first(reading, current)
        yield from stated
        joined = stated and reading.lower(end) in reading.language.joins
        current = replace(current, start=end, end=end + 1) if joined else None


def _first(reading: Reading, subject: Subject) -> tuple[list[Fact], int]:
    """The facts of the first verb phrase that states any, and where it ends."""
    for verb in verbs(reading, subject):
        for rule in verb.rules:
            stated, end = _stated(reading, Clause(subject.entity, rule, verb))
            if stated:
                return stated, end
    return [], subject.end


def _stated(reading: Reading, clause: Clause) -> tuple[list[Fact], int]:
    rule, end = clause.rule, clause.verb.end
    parsed = read(reading.sight, end, rule.takes, reading.language)
    found = Entity(rule.value, Kind.TOPIC) if rule.value else None
    if parsed:
        found, end = parsed
    if found is None and not (rule.optional and _closes(reading, end)):
        return [], end
    if found and found.key == clause.subject.key:
        return [], end
    stated = list(_of_object(reading, clause, found, end))
    more, end = _listed(reading, clause, end)
    return stated + more, end


def _closes(reading: Reading, place: int) -> bool:
    """Whether a clause ends here, so that an object is really missing."""
    word = reading.lower(place)
    bounded = word in reading.language.boundaries or place in reading.sight.dates
    return not word or bounded or not reading.sight.tokens[place].word


def _of_object(reading: Reading, clause: Clause, found: Entity | None, end: int) -> Iterator[Fact]:
    claim = _claim(reading, clause, end)
    if claim is None:
        return
    rule = clause.rule
    valid_from, ranked_at = _since(reading, rule, end)
    slot = rule.slot or rule.predicate
    yield Fact(clause.subject, claim.predicate, found, valid_from, ranked_at, slot, claim.exclusive, claim.ends)
    if rule.predicate == "prefers" and not claim.ends and (other := _other(reading, end)):
        yield Fact(clause.subject, claim.predicate, other, valid_from, ranked_at, slot, ends=True)


def _claim(reading: Reading, clause: Clause, end: int) -> Claim | None:
    """Claim about an object that ends at a token; None if a negation cancels it."""
    rule, negations = clause.rule, clause.verb.negations
    if not negations:
        these_days = (reading.lower(end), reading.lower(end + 1)) == ("these", "days")
        now = clause.verb.now or these_days or reading.lower(end) in _NOW
        exclusive = rule.exclusive or (now and rule.predicate == "prefers")
        return Claim(rule.predicate, rule.ends, exclusive and not rule.ends)
    no_more = bool(negations & _NO_MORE) or reading.lower(end) in {"anymore", "any"}
    if rule.ends or (rule.event and "never" in negations) or (rule.takes is Takes.OCCUPATION and not no_more):
        return None  # "I'm not a doctor" ends nothing that was said
    if rule.opposite and not no_more:
        return Claim(rule.opposite, ends=False, exclusive=False)
    return Claim(rule.predicate, ends=True, exclusive=False)


def _other(reading: Reading, end: int) -> Entity | None:
    """The rejected alternative of a preference: the word after `over` or `instead of`."""
    place = end + (2 if reading.lower(end + 1) == "of" else 1)
    if reading.lower(end) not in _OVER or not reading.lower(place)[:1].isalnum():
        return None
    name = reading.sight.names.get(place)
    return name.entity if name else Entity(reading.lower(place), Kind.TOPIC)


def _listed(reading: Reading, clause: Clause, end: int) -> tuple[list[Fact], int]:
    """Further objects of an enumeration, `tea, cake and jazz`, and where it ends."""
    listed: list[Fact] = []
    rule, joins = clause.rule, reading.language.joins
    if rule.exclusive or rule.ends or rule.takes not in _ENUMERATED:
        return listed, end
    for _ in range(_MAX_LISTED):
        comma = reading.lower(end) == ","
        at = end + (comma or reading.lower(end) in joins)
        at += comma and reading.lower(at) in joins
        parsed = None if at == end or _is_verb(reading, at) else read(reading.sight, at, rule.takes, reading.language)
        if parsed is None or (comma and not _goes_on(reading, parsed)):
            break
        listed += _of_object(reading, clause, parsed[0], parsed[1])
        end = parsed[1]
    return listed, end


def _is_verb(reading: Reading, place: int) -> bool:
    """Whether the verb of another clause stands here, rather than another object."""
    word = reading.lower(place)
    finite = word in reading.language.verbs or (word,) in reading.language.rules
    return finite and not word.endswith("ing")


def _goes_on(reading: Reading, parsed: Parsed) -> bool:
    """After a comma, only what is followed by another part belongs to the enumeration."""
    return reading.lower(parsed[1]) in {",", "", *reading.language.joins}


def _since(reading: Reading, rule: Rule, end: int) -> tuple[datetime, datetime]:
    """From when it holds, and the moment that decides which of two facts is later."""
    said = reading.saying.at
    found = _dated(reading, end, event=rule.event)
    if found is None or found.day == said.date():
        return said, said
    recent = said - found.moment < _RECENT or said.date().isoformat().startswith(found.text)
    return found.moment, max(said, found.moment) if recent else found.moment


def _dated(reading: Reading, end: int, *, event: bool) -> Found | None:
    """The date after `since` right behind the object; of an event, the sentence's only date."""
    dates = reading.sight.dates
    if reading.lower(end) == "since":
        return dates.get(end + 1)
    return next(iter(dates.values())) if event and len(dates) == 1 else None
