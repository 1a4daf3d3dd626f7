"""The graph's terms: entities, facts with the time in which they hold, and what one memory contributes of both."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

KEY_MAX: Final = 128
_WORDS: Final = re.compile(r"[\w@.'-]*\w")
_LONGEST_NAME: Final = 3
_NAMES_IN: Final = 2_000
"""Characters of a text in which names are looked for."""
_ARTICLE: Final = re.compile(r"^(?:the|a|an)\s+(?=\S)")


class Kind(StrEnum):
    """Kind of an entity, as far as the text reveals it. `name` is a proper name of unknown kind."""

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
    return _ARTICLE.sub("", _folded(name))[:KEY_MAX].rstrip()


def _folded(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def possible_keys(text: str) -> list[str]:
    """The keys of all entities that a text may name: up to three words in a row, in any case."""
    words = _WORDS.findall(_folded(text[:_NAMES_IN]))
    lengths = range(1, _LONGEST_NAME + 1)
    found = (" ".join(words[i : i + length]) for length in lengths for i in range(len(words) - length + 1))
    return list(dict.fromkeys(found))


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
    """Contribution of a memory to the graph. `scope` is its user's id: users of a tenant share no entities."""

    memory_id: str
    scope: str = ""
    session_id: str | None = None
    order: int = 0
    mentions: tuple[Entity, ...] = ()
    facts: tuple[Fact, ...] = ()


@dataclass(frozen=True, slots=True)
class EntityRef:
    """Identifies an entity of the graph."""

    scope: str
    key: str


@dataclass(frozen=True, slots=True)
class KnownEntity:
    """An entity of the graph; `mentions` is the number of memories that mention it."""

    ref: EntityRef
    name: str
    kind: Kind
    mentions: int


@dataclass(frozen=True, slots=True)
class HeldFact:
    """A fact of the graph with the memory that states it; it holds from `valid_from` until before `valid_to`."""

    scope: str
    subject: str
    predicate: str
    object: str
    valid_from: datetime
    valid_to: datetime | None
    memory_id: str


@dataclass(frozen=True, slots=True)
class Edge:
    """Two related entities. `weight` is the number of memories that state the relation."""

    source: EntityRef
    target: KnownEntity
    predicate: str
    weight: int
    inverse: bool = False
    """The target is the fact's subject."""


MENTIONED_WITH: Final = "mentioned_with"
"""The predicate of an edge between entities that memories mention together."""


@dataclass(frozen=True, slots=True)
class EntityFilter:
    """Which entities; None means any. `text` is part of the name."""

    scope: str | None = None
    text: str | None = None
    kind: Kind | None = None


@dataclass(frozen=True, slots=True)
class FactFilter:
    """Which facts; None means any. `as_of` selects those that hold at a moment, None those of all times."""

    scope: str | None = None
    subject: str | None = None
    predicate: str | None = None
    object: str | None = None
    as_of: datetime | None = None


@dataclass(frozen=True, slots=True)
class GraphSize:
    """How large the graph is: `nodes` are memories and entities; `left_out` memories found no room in the quota."""

    nodes: int
    memories: int
    left_out: int
