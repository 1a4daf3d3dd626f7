from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loci_dataplane.search.fusion import SPREAD, WEIGHTS, fuse
from loci_dataplane.stores.ports import Hit

IDS = st.sampled_from([f"mem_{letter}" for letter in "abcdefgh"])
HITS = st.lists(st.builds(Hit, IDS, st.floats(-10, 10)), unique_by=lambda hit: hit.memory_id, max_size=8)
NEIGHBOURS = st.dictionaries(IDS, st.lists(IDS, max_size=2).map(tuple))


def ranking(*hits: Hit) -> dict[str, list[Hit]]:
    return {"vector": list(hits)}


def test_blends_scaled_scores_by_their_weights() -> None:
    hits = {
        "vector": [Hit("both", 0.9), Hit("vector only", 0.7), Hit("worst", 0.5)],
        "keyword": [Hit("both", 12.0), Hit("worst", 2.0)],
    }
    scores = {ranked.memory_id: ranked.score for ranked in fuse(hits, {})}
    assert scores == {"both": 1.0, "vector only": pytest.approx(WEIGHTS["vector"] / 2), "worst": 0.0}


def test_words_that_are_in_most_memories_are_no_evidence() -> None:
    hits = {"vector": [Hit("right", 0.5), Hit("wrong", 0.1)], "keyword": [Hit("wrong", 1e-6), Hit("right", 5e-7)]}
    assert [ranked.memory_id for ranked in fuse(hits, {})] == ["right", "wrong"]


def test_one_retriever_alone_uses_the_whole_scale() -> None:
    assert [r.score for r in fuse(ranking(Hit("a", 0.8), Hit("b", 0.2)), {})] == [1.0, 0.0]


def test_a_neighbour_gains_a_share_of_the_better_one_beside_it() -> None:
    hits = ranking(Hit("before", 1.0), Hit("after", 0.5), Hit("worst", 0.0))
    neighbours = {"before": ("between",), "after": ("between",)}
    gained = next(ranked for ranked in fuse(hits, neighbours) if ranked.memory_id == "between")
    assert gained.neighbour == SPREAD
    assert gained.parts == {}


def test_a_single_hit_is_a_full_one_and_no_hit_is_no_result() -> None:
    assert fuse(ranking(Hit("a", 0.1)), {})[0].score == 1.0
    assert fuse({"vector": [], "keyword": []}, {}) == []


def test_tells_each_retrievers_rank_and_score() -> None:
    hits = {"vector": [Hit("a", 0.9), Hit("b", 0.1)], "keyword": [Hit("b", 3.0)]}
    parts = {ranked.memory_id: ranked.parts for ranked in fuse(hits, {})}
    assert parts["b"] == {"vector": {"rank": 2, "score": 0.1}, "keyword": {"rank": 1, "score": 3.0}}


@given(HITS, HITS, NEIGHBOURS)
def test_scores_lie_between_0_and_1_and_fall(
    vector: list[Hit], keyword: list[Hit], neighbours: dict[str, tuple[str, ...]]
) -> None:
    scores = [ranked.score for ranked in fuse({"vector": vector, "keyword": keyword}, neighbours)]
    assert all(0 <= score <= 1 for score in scores)
    assert scores == sorted(scores, reverse=True)
