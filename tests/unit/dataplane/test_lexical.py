"""How words, speakers and neighbours count."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from loci_dataplane.model.memory import Memory
from loci_dataplane.search.lexical import Match, Matcher, Neighbours
from loci_dataplane.search.recipe import DEFAULT, Recipe
from loci_dataplane.stores.ports import Frequencies
from loci_dataplane.text.query import query_words

NOW = datetime(2026, 1, 31, tzinfo=UTC)
NONE: Neighbours = {}


def memory(name: str, content: str, speaker: str | None = None) -> Memory:
    return Memory(name, content, None, None, "s1", {"speaker": speaker} if speaker else {}, NOW, NOW)


def matched(query: str, *memories: Memory, neighbours: Neighbours = NONE, recipe: Recipe = DEFAULT) -> dict[str, Match]:
    return Matcher(recipe).match(query_words(query), Frequencies(1_000), memories, neighbours)


def test_only_the_sole_speaker_who_is_named_is_marked() -> None:
    turns = (memory("hers", "I moved", "Ada Lovelace"), memory("his", "Why?", "Bob"), memory("nobody", "Rain"))
    assert [i for i, match in matched("Where did ADA go?", *turns).items() if match.named] == ["hers"]
    assert not any(match.named for match in matched("Where did Ada meet Bob?", *turns).values())
    assert not any(match.named for match in matched("Where did Carol go?", *turns).values())


def test_a_speaker_s_name_is_no_word_of_the_share_but_is_held() -> None:
    turns = (memory("addressed", "Ada, hello Ada!", "Bob"), memory("hers", "My puppy sleeps", "Ada"))
    found = matched("Ada's puppy", *turns)
    assert found["addressed"].share == 0
    assert found["addressed"].held == 1
    assert found["hers"].share > 0
    kept = matched("Ada's puppy", *turns, recipe=replace(DEFAULT, names=False))
    assert kept["addressed"].share > 0


@pytest.mark.parametrize("query", ["Ada", "Ada Lovelace", "who is Ada?"])
def test_a_query_of_names_alone_looks_for_them(query: str) -> None:
    found = matched(query, memory("about", "Ada was here", "Bob"), memory("hers", "Hello", "Ada Lovelace"))
    assert found["about"].share > 0


def test_a_word_counts_less_the_further_away_it_is_said() -> None:
    turns = [memory(name, "My puppy sleeps" if name == "a" else "Oh, lovely") for name in "abcd"]
    beside = {"a": ("b",), "b": ("a", "c"), "c": ("b", "d"), "d": ("c",)}
    found = matched("puppy", *turns, neighbours=beside)
    assert found["a"].share > found["b"].share > found["c"].share > found["d"].share == 0
    assert [found[name].held for name in "abcd"] == [1, 0, 0, 0]
    assert matched("puppy", *turns, neighbours=beside, recipe=replace(DEFAULT, near=0.0))["b"].share == 0


def test_neighbours_that_are_no_candidates_do_not_count() -> None:
    assert matched("puppy", memory("b", "Oh, lovely"), neighbours={"b": ("a", "c")})["b"].share == 0
