from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loci_dataplane.search.fusion import Ranked, fuse
from loci_dataplane.search.lexical import Match
from loci_dataplane.search.recipe import DEFAULT
from loci_dataplane.search.relevance import UNRELATED, score
from loci_dataplane.search.retrievers.port import Found
from loci_dataplane.search.schemas import MODES
from loci_dataplane.search.service import _candidates
from loci_dataplane.stores.ports import Hit

IDS = st.sampled_from([f"mem_{letter}" for letter in "abcdefgh"])
EVIDENCE = st.dictionaries(IDS, st.floats(0, 1), max_size=8)
NEIGHBOURS = st.dictionaries(IDS, st.lists(IDS, max_size=2).map(tuple))
BOTH = {"vector": 0.5, "keyword": 0.5}


def ranking(
    evidence: Mapping[str, Mapping[str, float]],
    neighbours: Mapping[str, Sequence[str]] = MappingProxyType({}),
    held: frozenset[str] = frozenset(),
    named: frozenset[str] = frozenset(),
    asking: frozenset[str] = frozenset(),
) -> list[Ranked]:
    ids = {i for values in evidence.values() for i in values}
    matches = {i: Match(int(i in held), 0.0, i in named, i in asking, ord(i[0])) for i in ids}
    return fuse(evidence, BOTH, matches, neighbours, DEFAULT)


def by_id(ranked: list[Ranked]) -> dict[str, float]:
    return {entry.memory_id: entry.score for entry in ranked}


def test_adds_weighted_evidence() -> None:
    evidence = {"vector": {"both": 0.8, "vector": 0.8}, "keyword": {"both": 0.6, "keyword": 0.6}}
    assert by_id(ranking(evidence)) == {
        "both": pytest.approx(score(0.7, holds_word=False)),
        "vector": pytest.approx(score(0.4, holds_word=False)),
        "keyword": pytest.approx(score(0.3, holds_word=False)),
    }


def test_a_score_does_not_depend_on_the_other_candidates() -> None:
    alone = ranking({"vector": {"a": 0.6}})
    among = ranking({"vector": {"a": 0.6, "b": 1.0, "c": 0.0}})
    assert by_id(alone)["a"] == by_id(among)["a"]


def test_a_candidate_gains_a_share_of_its_better_neighbour() -> None:
    evidence = {"vector": {"before": 1.0, "after": 0.5, "between": 0.0}}
    ranked = ranking(evidence, {"before": ("between",), "after": ("between",)})
    gained = next(entry for entry in ranked if entry.memory_id == "between")
    assert gained.neighbour == DEFAULT.spread * 0.5
    assert gained.score == score(DEFAULT.spread * 0.5, holds_word=False)


def test_a_neighbour_that_is_no_candidate_is_not_added() -> None:
    assert by_id(ranking({"vector": {"a": 1.0}}, {"a": ("b",)})).keys() == {"a"}


def test_a_memory_of_the_speaker_who_is_named_gains() -> None:
    ranked = ranking({"vector": {"hers": 0.5, "his": 0.55}}, named=frozenset({"hers"}))
    assert [entry.memory_id for entry in ranked] == ["hers", "his"]
    assert ranked[0].speaker == pytest.approx(DEFAULT.speaker * 0.25)


def test_a_question_loses_a_share() -> None:
    ranked = ranking({"vector": {"a": 0.52, "b": 0.5}}, asking=frozenset({"a"}))
    assert [entry.memory_id for entry in ranked] == ["b", "a"]


def test_what_follows_a_question_gains_more_than_what_stands_before_it() -> None:
    evidence = {"vector": {"a": 0.0, "b": 1.0, "c": 0.0}}
    ranked = {entry.memory_id: entry for entry in ranking(evidence, {"b": ("a", "c")}, asking=frozenset({"b"}))}
    asked = 0.5 * (1 - DEFAULT.question)
    assert ranked["a"].neighbour == pytest.approx(DEFAULT.spread * asked)
    assert ranked["c"].neighbour == pytest.approx((DEFAULT.spread + DEFAULT.answer) * asked)


def test_a_speaker_s_name_alone_is_no_evidence() -> None:
    (entry,) = ranking({"vector": {"hers": 0.0}}, named=frozenset({"hers"}))
    assert entry.score == 0


@pytest.mark.parametrize("mode", MODES)
def test_neighbours_are_candidates_in_mode_hybrid_only(mode: str) -> None:
    found = {"vector": Found([Hit("a", 1.0)], lambda _: pytest.fail("not judged"))}
    assert _candidates(found, {"a": ("b",)}, mode) == (["a", "b"] if mode == "hybrid" else ["a"])


def test_no_candidates_are_no_results() -> None:
    assert ranking({"vector": {}, "keyword": {}}) == []


def test_tells_each_retrievers_evidence() -> None:
    ranked = ranking({"vector": {"a": 0.9, "b": 0.1}, "keyword": {"b": 0.3}})
    assert {entry.memory_id: entry.evidence for entry in ranked}["b"] == {"vector": 0.1, "keyword": 0.3}


@settings(deadline=None)
@given(EVIDENCE, EVIDENCE, st.frozensets(IDS), NEIGHBOURS)
def test_scores_lie_between_0_and_1_and_fall(
    vector: dict[str, float], keyword: dict[str, float], held: frozenset[str], neighbours: dict[str, tuple[str, ...]]
) -> None:
    ranked = ranking({"vector": vector, "keyword": keyword}, neighbours, held)
    scores = [entry.score for entry in ranked]
    assert all(0 <= value <= 1 for value in scores)
    assert scores == sorted(scores, reverse=True)
    assert all(entry.score >= UNRELATED for entry in ranked if entry.memory_id in held)


@settings(deadline=None)
@given(st.floats(0, 3), st.floats(0, 3), st.booleans())
def test_a_score_grows_with_the_evidence(one: float, other: float, holds_word: bool) -> None:  # noqa: FBT001
    lower, higher = sorted((one, other))
    assert score(lower, holds_word=holds_word) <= score(higher, holds_word=holds_word)


@settings(deadline=None)
@given(st.floats(0, 3))
def test_a_word_never_lowers_a_score(evidence: float) -> None:
    assert score(evidence, holds_word=True) >= max(UNRELATED, score(evidence, holds_word=False))
