"""The graph's terms: entities, facts with the time in which they hold, and what one memory contributes of both."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Final

KEY_MAX: Final = 128
_ARTICLE: Final = re.compile(r"^(?:the|a|an)\s+(?=\S)")


class Kind(StrEnum):
    """What an entity is, as far as the text tells. `name` is a proper name of unknown kind."""

    PERSON = "person"
    PLACE = "place"
    ORGANISATION = "organisation"
    NAME = "name"
    WORK = "work"
    DATE = "date"
    QUANTITY = "quantity"
    TOPIC = "topic"


PRECEDENCE: Final = {
    kind: rank
    for rank, kind in enumerate(
        (Kind.TOPIC, Kind.NAME, Kind.WORK, Kind.QUANTITY, Kind.DATE, Kind.PLACE, Kind.ORGANISATION, Kind.PERSON)
    )
}
"""When memories disagree about an entity's kind, the highest counts."""


def entity_key(name: str) -> str:
    """A name in the form that identifies an entity: NFKC, case-folded, single spaces, no leading article."""
    folded = " ".join(unicodedata.normalize("NFKC", name).casefold().split())
    return _ARTICLE.sub("", folded)[:KEY_MAX].rstrip()


@dataclass(frozen=True, slots=True)
class Entity:
    """A person, place or thing that a memory mentions."""

    name: str
    kind: Kind

    @property
    def key(self) -> str:
        """Identifies the entity among those of its user."""
        return entity_key(self.name)


@dataclass(frozen=True, slots=True)
class Fact:
    """A statement of one memory: subject, predicate, object, and since when it holds.

    Facts of one subject and one `slot` (a predicate and its opposites) may close one another: a later fact closes an
    earlier one with the same object and another predicate, an `exclusive` one closes those with another object, and
    one that `ends` states nothing itself but closes its object's facts, or all of the slot when it has no object.
    `ranked_at` decides which is later: when it was said, or its date where that is long past or to come. So "I moved
    to Lisbon last month" comes after "I live in Porto" of last week.
    """

    subject: Entity
    predicate: str
    object: Entity | None
    valid_from: datetime
    ranked_at: datetime
    slot: str
    exclusive: bool = False
    ends: bool = False


@dataclass(frozen=True, slots=True)
class Extraction:
    """What a memory contributes to the graph. `scope` is its user's id: users of a tenant share no entities."""

    memory_id: str
    scope: str = ""
    session_id: str | None = None
    order: int = 0
    mentions: tuple[Entity, ...] = ()
    facts: tuple[Fact, ...] = ()


@dataclass(frozen=True, slots=True)
class Assertion:
    """A fact as a store holds it; `order` is its memory's order and its place in the memory."""

    id: int | str
    predicate: str
    object_key: str | None
    valid_from: datetime
    ranked_at: datetime
    order: tuple[int, int]
    exclusive: bool
    ends: bool
    valid_to: datetime | None = None

    @property
    def rank(self) -> tuple[datetime, tuple[int, int]]:
        """Its place on the time line."""
        return self.ranked_at, self.order


@dataclass(slots=True)
class _Later:
    """What closes facts, in the part of a time line after the assertion at hand; of each kind the nearest."""

    opposed: dict[tuple[str, str | None], Assertion] = field(default_factory=dict)
    exclusive: list[Assertion] = field(default_factory=list)
    ended: list[Assertion] = field(default_factory=list)

    def closing(self, fact: Assertion) -> datetime | None:
        """When something later closes this fact; never before it began."""
        closers = [*self.ended, *(other for other in self.exclusive if other.object_key != fact.object_key)]
        if opposed := self.opposed.get((fact.predicate, fact.object_key)):
            closers.append(opposed)
        nearest = min(closers, key=lambda a: a.rank, default=None)
        return max(fact.valid_from, nearest.valid_from) if nearest else None

    def add(self, new: Assertion, predicates: Iterable[str]) -> None:
        """Take in an assertion that is earlier than all so far."""
        if new.ends and new.object_key is None:
            self.ended = [new]
            return
        for predicate in predicates:
            if new.ends or predicate != new.predicate:
                self.opposed[predicate, new.object_key] = new
        if new.exclusive and not new.ends:
            others = [other for other in self.exclusive if other.object_key != new.object_key]
            self.exclusive = [new, *others[:1]]


def timeline(assertions: Sequence[Assertion]) -> list[Assertion]:
    """One subject's assertions of one slot, oldest first, each with the time at which a later one closes it."""
    ordered = sorted(assertions, key=lambda a: a.rank)
    predicates = {a.predicate for a in ordered}
    later = _Later()
    closed: list[Assertion] = []
    for assertion in reversed(ordered):
        closed.append(replace(assertion, valid_to=None if assertion.ends else later.closing(assertion)))
        later.add(assertion, predicates)
    return closed[::-1]
