"""The extraction of one memory, put together from its parts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, time
from typing import Final

from loci_dataplane.graph.extraction.clauses import Reading, Saying
from loci_dataplane.graph.extraction.dates import dates, stated
from loci_dataplane.graph.extraction.english import ENGLISH
from loci_dataplane.graph.extraction.european import EUROPEAN
from loci_dataplane.graph.extraction.facts import facts
from loci_dataplane.graph.extraction.names import Name, names, quoted
from loci_dataplane.graph.extraction.objects import Sight
from loci_dataplane.graph.extraction.phrases import noun_phrases, quantities
from loci_dataplane.graph.extraction.possessives import possessives
from loci_dataplane.graph.extraction.rules import Language
from loci_dataplane.graph.extraction.text import Sentence, Spoken, sentences, spoken
from loci_dataplane.graph.extraction.words import word_set
from loci_dataplane.model.graph import PRECEDENCE, Entity, Extraction, Fact, Kind
from loci_dataplane.model.memory import Memory

_LANGUAGES: Final[tuple[Language, ...]] = (ENGLISH, *EUROPEAN)
_MAX_MENTIONS: Final = 64
_MAX_FACTS: Final = 32
_GERMAN: Final = word_set("ich und der die das ist nicht mit ein eine wir wohne")


def extract(memory: Memory) -> Extraction:
    """The entities that a memory mentions and the facts that it states. Pure; at most 64 and 32 of them."""
    said = spoken(memory.content, memory.metadata)
    saying = _saying(memory, said)
    parts = list(sentences(said.text))
    seen = list(_sights(parts, saying, said))
    stated_facts = _distinct(_of_person(fact) for sentence, sight in seen for fact in _facts(sentence, sight, saying))
    found = [saying.speaker] if said.speaker else []
    found += [entity for fact in stated_facts for entity in (fact.subject, fact.object) if entity]
    found += [entity for _, sight in seen for entity in _entities(sight)] + quoted(said.text)
    return Extraction(
        memory_id=memory.id,
        scope=memory.user_id or "",
        session_id=memory.session_id,
        order=memory.order,
        mentions=_merged(found, stated_facts),
        facts=tuple(stated_facts),
    )


def _saying(memory: Memory, said: Spoken) -> Saying:
    """The speaker, else the user; and when it was said, which a date before the speaker may tell."""
    speaker = Entity(said.speaker or memory.user_id or "user", Kind.PERSON)
    day = stated(said.date, memory.created_at.astimezone(UTC).date())
    at = memory.created_at.astimezone(UTC)
    return Saying(speaker, at if day == at.date() else datetime.combine(day, time(), UTC))


def _sights(parts: Sequence[Sentence], saying: Saying, said: Spoken) -> Iterator[tuple[Sentence, Sight]]:
    people = {word.casefold() for word in (said.speaker or "").split()[:3]}
    german = _is_german(parts)
    first = [names(part.tokens, people, nouns_capital=german) for part in parts]
    # A word that is surely a name somewhere is one at the start of a sentence too.
    sure = {name.entity.name.casefold() for found in first for name in found if name.sure and name.start > 0}
    for part, found in zip(parts, first, strict=True):
        start = part.tokens[0].lower
        again = found if start not in sure else names(part.tokens, people, {start}, nouns_capital=german)
        yield part, _sight(part, again, saying)


def _sight(part: Sentence, found: Sequence[Name], saying: Saying) -> Sight:
    lowercase = not any(token.capital and token.text != "I" for token in part.tokens[1:]) and not found
    days = dates(part.tokens, saying.at.date())
    by_start = {name.start: name for name in found}
    return Sight(part.tokens, by_start, {day.start: day for day in days}, lowercase)


def _facts(sentence: Sentence, sight: Sight, saying: Saying) -> Iterator[Fact]:
    if sentence.question:
        return
    yield from possessives(Reading(sight, saying, ENGLISH))
    words = {token.lower for token in sight.tokens}
    for language in _LANGUAGES:
        if not words.isdisjoint(language.cues):
            yield from facts(Reading(sight, saying, language))


def _of_person(fact: Fact) -> Fact:
    """A name of which something is stated names a person."""
    known = fact.subject.kind is not Kind.NAME
    return fact if known else replace(fact, subject=Entity(fact.subject.name, Kind.PERSON))


def _entities(sight: Sight) -> list[Entity]:
    days = [Entity(found.text, Kind.DATE) for found in sight.dates.values()]
    written = [name.entity for name in sight.names.values()]
    return [*written, *days, *quantities(sight.tokens), *noun_phrases(sight.tokens)]


def _distinct(found: Iterable[Fact]) -> list[Fact]:
    """Facts that say the same once, those without a name of their own left out."""
    kept: dict[tuple[str, str, str | None, bool], Fact] = {}
    for fact in found:
        if fact.subject.key and (fact.object is None or fact.object.key):
            about = fact.object.key if fact.object else None
            kept.setdefault((fact.subject.key, fact.predicate, about, fact.ends), fact)
    return list(kept.values())[:_MAX_FACTS]


def _merged(found: Iterable[Entity], stated_facts: Sequence[Fact]) -> tuple[Entity, ...]:
    """Each entity once, with the most telling of its kinds; those in facts always stay."""
    best: dict[str, Entity] = {}
    for entity in found:
        current = best.get(entity.key)
        if current is None or PRECEDENCE[entity.kind] > PRECEDENCE[current.kind]:
            best[entity.key] = entity
    best.pop("", None)
    return tuple(best.values())[: max(_MAX_MENTIONS, 3 * len(stated_facts))]


def _is_german(parts: Sequence[Sentence]) -> bool:
    words = [token.lower for part in parts for token in part.tokens]
    return sum(word in _GERMAN for word in words) * 8 > len(words)
