"""Types of a language's tables: verb phrases and the statements they make."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum, auto


class Takes(Enum):
    """Kind of object that a verb phrase takes."""

    PLACE = auto()
    NAME = auto()
    PERSON = auto()
    ORGANISATION = auto()
    PHRASE = auto()
    OCCUPATION = auto()
    NUMBER = auto()
    DATE = auto()
    NOTHING = auto()


@dataclass(frozen=True, slots=True)
class Rule:
    """Statement that a verb phrase makes about its subject.

    Attributes:
        predicate: The name of the statement.
        takes: What stands after the verb phrase.
        slot: Predicates of one slot may contradict one another; the predicate itself unless given.
        exclusive: A person has one of these at a time: a new one closes the old.
        event: A date in the sentence says since when it holds.
        ends: It states that something holds no more; with `optional`, all of the slot when no object follows.
        optional: The object may be missing.
        opposite: What the negation states ("don't like": dislikes); else a negation ends the statement.
        value: The object, for a verb phrase that says it itself ("be vegetarian").
    """

    predicate: str
    takes: Takes
    slot: str = ""
    exclusive: bool = False
    event: bool = False
    ends: bool = False
    optional: bool = False
    opposite: str | None = None
    value: str | None = None


@dataclass(frozen=True, slots=True)
class Language:
    """A language's words around a fact."""

    first_person: frozenset[str]
    skipped: frozenset[str]
    """Adverbs and auxiliaries that may stand between a subject and its verb phrase."""
    negations: frozenset[str]
    doubtful: frozenset[str]
    """Words before a subject that make a clause a condition, a wish or another's view."""
    boundaries: frozenset[str]
    """Words that end an object."""
    joins: frozenset[str]
    """Words such as `and`."""
    verbs: Mapping[str, str]
    """Inflected forms of the verbs in `rules`, to the form used there."""
    rules: Mapping[tuple[str, ...], tuple[Rule, ...]]
    cues: frozenset[str]
    """Words of which a sentence that states a fact has one."""
    subjectless: bool = False
    """Whether a clause may omit "I", as in Spanish, where the verb form implies it."""


def cues(rules: Mapping[tuple[str, ...], object], verbs: Mapping[str, str]) -> frozenset[str]:
    """The words with which verb phrases begin, in all their forms."""
    first = {words[0] for words in rules}
    return frozenset(first | {form for form, verb in verbs.items() if verb in first})


def table(rows: Iterable[tuple[str, Rule]], verbs: Mapping[str, str]) -> dict[tuple[str, ...], tuple[Rule, ...]]:
    """Rules by the words of their verb phrases, uninflected; a row may list several phrases, separated by `|`."""
    found: dict[tuple[str, ...], tuple[Rule, ...]] = {}
    for phrases, rule in rows:
        for phrase in phrases.split("|"):
            words = tuple(verbs.get(word, word) for word in phrase.split())
            found[words] = (*found.get(words, ()), rule)
    return found
