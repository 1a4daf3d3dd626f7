"""A block of text for a prompt: facts that hold now, then memories, as many as fit a budget of tokens.

Tokens are estimated, since each model counts its own: four ASCII characters, or one other character, to a token, which
is rather too many for common models. A line is one line, whatever its memory contains.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Final

from loci_dataplane.conversations.schemas import ContextInput, ContextLine, ContextOutput, LineKind
from loci_dataplane.model import filter as language
from loci_dataplane.model.graph import FactFilter, HeldFact, possible_keys
from loci_dataplane.search.schemas import SearchInput, SearchResult
from loci_dataplane.search.service import Search
from loci_dataplane.stores.errors import StoreError
from loci_dataplane.stores.ports import Stores

_RESULTS: Final = 50
_SUBJECTS: Final = 4
_FACTS_OF_SUBJECT: Final = 50
_FACTS: Final = 12
_WORD: Final = re.compile(r"\w+")
_HEADINGS: Final = {LineKind.FACT: "Facts:", LineKind.MEMORY: "Memories:"}


class Context:
    """Makes context blocks.

    Args:
        stores: the tenant's stores.
        search: finds the memories.
        now: the clock, in UTC.
    """

    def __init__(self, stores: Stores, search: Search, now: Callable[[], datetime]) -> None:
        self._stores = stores
        self._search = search
        self._now = now

    async def block(self, body: ContextInput) -> ContextOutput:
        """Return the text for a query; without the graph it has no facts and `degraded` says so."""
        wanted = SearchInput(query=body.query, limit=_RESULTS, filters=body.filters)
        found = await self._search.search(wanted)
        degraded = list(found.degraded)
        facts: list[ContextLine] = []
        if body.include_facts:
            try:
                facts = await self._facts(body)
            except StoreError as error:
                degraded = sorted({*degraded, error.component})
        lines = [*facts, *(_memory_line(result) for result in found.results)]
        kept = _fitting(lines, body.token_budget)
        text = _text(kept)
        return ContextOutput(
            text=text,
            tokens=tokens(text),
            lines=kept,
            omitted=len(lines) - len(kept),
            degraded=degraded,
            pending=found.pending,
        )

    async def _facts(self, body: ContextInput) -> list[ContextLine]:
        """Facts about the entities that the query names, from memories that the filter admits."""
        where, now = language.parse(body.filters), self._now()
        subjects = await self._stores.graph.named(possible_keys(body.query), None)
        held: list[HeldFact] = []
        for subject in subjects[:_SUBJECTS]:
            about = FactFilter(scope=subject.ref.scope, subject=subject.name, as_of=now)
            held += await self._stores.graph.facts(about, _FACTS_OF_SUBJECT)
        sources = language.AllOf((where, language.Among(tuple({fact.memory_id for fact in held}))))
        admitted = {memory.id for memory in await self._stores.records.page(sources, 0, len(held), now)}
        words = set(_WORD.findall(body.query.casefold()))
        lines = {line.text: line for line in (_fact_line(fact) for fact in held if fact.memory_id in admitted)}
        return sorted(lines.values(), key=lambda line: -_overlap(line, words))[:_FACTS]


def tokens(text: str) -> int:
    """The estimated number of tokens of a text."""
    ascii_characters = sum(character.isascii() for character in text)
    return math.ceil(ascii_characters / 4) + len(text) - ascii_characters


def _overlap(line: ContextLine, words: set[str]) -> int:
    return len(words & set(_WORD.findall(line.text.casefold().replace("_", " "))))


def _fact_line(fact: HeldFact) -> ContextLine:
    said = f"{fact.subject} {fact.predicate.replace('_', ' ')} {fact.object} (since {fact.valid_from:%Y-%m-%d})"
    return ContextLine(kind=LineKind.FACT, memory_id=fact.memory_id, text=_one_line(said))


def _memory_line(result: SearchResult) -> ContextLine:
    speaker = result.metadata.get("speaker")
    said = f"{speaker}: {result.content}" if isinstance(speaker, str) and speaker else result.content
    text = f"{result.created_at:%Y-%m-%d} {said}"
    return ContextLine(kind=LineKind.MEMORY, memory_id=result.id, text=_one_line(text))


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _fitting(lines: Iterable[ContextLine], budget: int) -> list[ContextLine]:
    """The lines that fit, in their order; one that is too long for the room left is passed over."""
    kept: list[ContextLine] = []
    for line in lines:
        if tokens(_text([*kept, line])) <= budget:
            kept.append(line)
    return kept


def _text(lines: Sequence[ContextLine]) -> str:
    parts: list[str] = []
    for kind, heading in _HEADINGS.items():
        of_kind = [f"- {line.text} [{line.memory_id}]" for line in lines if line.kind is kind]
        parts += [heading, *of_kind] if of_kind else []
    return "\n".join(parts)
