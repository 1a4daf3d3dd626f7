"""When facts hold: what closes a fact among the statements about one subject.

Validity is computed from all statements of a subject's slot whenever one is added or removed, so the order of arrival
makes no difference and what a deleted memory had closed opens again. Cost: one pass over the slot's statements.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime


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
    """Nearest events of each kind that end a fact, in the part of a timeline after its assertion."""

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
