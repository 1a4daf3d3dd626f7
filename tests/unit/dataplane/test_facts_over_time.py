"""Facts that change: what holds at a date and now, for histories as people tell them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from loci_dataplane.graph.extraction.extract import extract
from loci_dataplane.model.memory import Memory
from loci_dataplane.model.timeline import Assertion, timeline

Told = tuple[tuple[str, str], ...]
"""What the user says, by the day."""


def moment(day: str) -> datetime:
    return datetime.fromisoformat(day).replace(hour=12, tzinfo=UTC)


def statements(told: Told) -> Iterator[tuple[str, Assertion]]:
    """The slot of each statement about the user, and the statement."""
    for order, (day, content) in enumerate(told):
        memory = Memory(f"m{order}", content, None, None, None, {}, moment(day), moment(day), order=order)
        for place, fact in enumerate(extract(memory).facts):
            if fact.subject.key == "user":
                about = fact.object.key if fact.object else None
                moments = (fact.valid_from, fact.ranked_at)
                place_in = (order, place)
                yield (
                    fact.slot,
                    Assertion(place, fact.predicate, about, *moments, place_in, fact.exclusive, fact.ends),
                )


def held(told: Told, predicate: str, day: str) -> set[str | None]:
    """The objects that a predicate has on a day."""
    slots: dict[str, list[Assertion]] = {}
    for slot, assertion in statements(told):
        slots.setdefault(slot, []).append(assertion)
    facts = [fact for assertions in slots.values() for fact in timeline(assertions) if not fact.ends]
    at = moment(day)
    return {
        fact.object_key
        for fact in facts
        if fact.predicate == predicate and fact.valid_from <= at and (fact.valid_to is None or fact.valid_to > at)
    }


MOVES: Told = (
    ("2025-01-10", "I live in Porto."),
    ("2025-06-10", "I just moved to Lisbon!"),
    ("2026-01-10", "We moved to Faro yesterday."),
)
BACK: Told = (
    ("2025-01-10", "I live in Porto"),
    ("2025-06-10", "I moved to Lisbon"),
    ("2025-09-10", "I moved back to Porto"),
)
LATE: Told = (("2025-05-20", "I live in Porto"), ("2025-06-10", "I moved to Lisbon last month"))
PLANNED: Told = (("2025-05-20", "I live in Porto"), ("2025-06-10", "I'm moving to Lisbon on 1 August 2025"))
OLD: Told = (("2025-05-20", "I live in Porto"), ("2025-06-10", "I moved to Lisbon in 2015"))
LEFT: Told = (("2025-05-20", "I live in Porto"), ("2025-06-10", "I no longer live in Porto"))
JOBS: Told = (
    ("2025-01-10", "I work at Initech"),
    ("2025-03-10", "I quit my job."),
    ("2025-05-10", "I joined Hooli on May 5"),
)
LAID_OFF: Told = (("2025-01-10", "I work for Initech"), ("2025-04-02", "I got laid off yesterday"))
ROLES: Told = (("2025-01-10", "I'm a nurse"), ("2025-06-10", "I work as a teacher now"))
TASTES: Told = (
    ("2025-01-10", "I love coffee and jazz"),
    ("2025-06-10", "I hate coffee"),
    ("2025-09-10", "I don't like jazz anymore"),
)
TEA: Told = (
    ("2025-01-10", "I prefer coffee"),
    ("2025-02-10", "I prefer window seats"),
    ("2025-06-10", "I prefer tea over coffee"),
)
NOW_TEA: Told = (("2025-01-10", "I prefer coffee"), ("2025-06-10", "I now prefer tea"))
COLOUR: Told = (("2025-01-10", "My favourite colour is blue"), ("2025-06-10", "My favourite colour is green now"))
NAMES: Told = (("2025-01-10", "My name is Sam Smith"), ("2025-06-10", "I changed my name to Sam Jones"))
STATUS: Told = (
    ("2025-01-10", "I'm single"),
    ("2025-06-10", "I got engaged last week"),
    ("2025-09-10", "I got married on September 6"),
)
DIET: Told = (("2025-01-10", "I'm vegetarian"), ("2025-06-10", "I went vegan"))
AGE: Told = (("2025-01-10", "I'm 34 years old"), ("2025-06-10", "I just turned 35"))
PARTNER: Told = (("2025-01-10", "I'm dating Kim"), ("2025-06-10", "I broke up with Kim"))
EMAIL: Told = (("2025-01-10", "My email is a@x.org"), ("2025-06-10", "My email is b@x.org"))
GERMAN: Told = (("2025-01-10", "Ich wohne in Berlin"), ("2025-06-10", "Ich wohne jetzt in Hamburg"))
SPANISH: Told = (("2025-01-10", "Vivo en Madrid"), ("2025-06-10", "Me mudé a Sevilla"))
TRIPS: Told = (("2025-01-10", "I visited Rome"), ("2025-06-10", "I visited Oslo"))


@pytest.mark.parametrize(
    ("told", "predicate", "day", "expected"),
    [
        (MOVES, "lives_in", "2025-01-09", set()),
        (MOVES, "lives_in", "2025-03-01", {"porto"}),
        (MOVES, "lives_in", "2025-12-01", {"lisbon"}),
        (MOVES, "lives_in", "2026-01-09", {"faro"}),
        (MOVES, "lives_in", "2026-06-01", {"faro"}),
        (BACK, "lives_in", "2025-03-01", {"porto"}),
        (BACK, "lives_in", "2025-07-01", {"lisbon"}),
        (BACK, "lives_in", "2025-12-01", {"porto"}),
        (LATE, "lives_in", "2025-05-10", {"lisbon"}),
        (LATE, "lives_in", "2025-06-20", {"lisbon"}),
        (PLANNED, "lives_in", "2025-07-20", {"porto"}),
        (PLANNED, "lives_in", "2025-08-02", {"lisbon"}),
        (OLD, "lives_in", "2016-01-01", {"lisbon"}),
        (OLD, "lives_in", "2025-12-01", {"porto"}),
        (LEFT, "lives_in", "2025-06-01", {"porto"}),
        (LEFT, "lives_in", "2025-06-11", set()),
        (JOBS, "works_at", "2025-02-01", {"initech"}),
        (JOBS, "works_at", "2025-04-01", set()),
        (JOBS, "works_at", "2025-05-06", {"hooli"}),
        (JOBS, "works_at", "2025-12-01", {"hooli"}),
        (LAID_OFF, "works_at", "2025-03-30", {"initech"}),
        (LAID_OFF, "works_at", "2025-04-01", set()),
        (ROLES, "works_as", "2025-02-01", {"nurse"}),
        (ROLES, "works_as", "2025-12-01", {"teacher"}),
        (TASTES, "likes", "2025-02-01", {"coffee", "jazz"}),
        (TASTES, "likes", "2025-07-01", {"jazz"}),
        (TASTES, "dislikes", "2025-07-01", {"coffee"}),
        (TASTES, "likes", "2025-12-01", set()),
        (TASTES, "dislikes", "2025-12-01", {"coffee"}),
        (TEA, "prefers", "2025-03-01", {"coffee", "window seats"}),
        (TEA, "prefers", "2025-12-01", {"tea", "window seats"}),
        (NOW_TEA, "prefers", "2025-03-01", {"coffee"}),
        (NOW_TEA, "prefers", "2025-12-01", {"tea"}),
        (COLOUR, "favourite colour", "2025-03-01", {"blue"}),
        (COLOUR, "favourite colour", "2025-12-01", {"green"}),
        (NAMES, "name", "2025-03-01", {"sam smith"}),
        (NAMES, "name", "2025-12-01", {"sam jones"}),
        (STATUS, "relationship_status", "2025-03-01", {"single"}),
        (STATUS, "relationship_status", "2025-07-01", {"engaged"}),
        (STATUS, "relationship_status", "2025-12-01", {"married"}),
        (DIET, "diet", "2025-03-01", {"vegetarian"}),
        (DIET, "diet", "2025-12-01", {"vegan"}),
        (AGE, "age", "2025-03-01", {"34"}),
        (AGE, "age", "2025-12-01", {"35"}),
        (PARTNER, "dating", "2025-03-01", {"kim"}),
        (PARTNER, "dating", "2025-12-01", set()),
        (EMAIL, "email", "2025-12-01", {"b@x.org"}),
        (GERMAN, "lives_in", "2025-03-01", {"berlin"}),
        (GERMAN, "lives_in", "2025-12-01", {"hamburg"}),
        (SPANISH, "lives_in", "2025-03-01", {"madrid"}),
        (SPANISH, "lives_in", "2025-12-01", {"sevilla"}),
        (TRIPS, "visited", "2025-12-01", {"rome", "oslo"}),
    ],
)
def test_what_holds_at_a_date(told: Told, predicate: str, day: str, expected: set[str]) -> None:
    assert held(told, predicate, day) == expected
    assert held(told[::-1], predicate, day) == expected
