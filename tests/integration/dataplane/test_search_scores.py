"""Scores mean the same in every answer; modes return what they name; nothing is left out silently."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from loci_dev.rigs.dataplane import indexed, serving
from loci_standalone.embedder import InProcessEmbedder

FACTS = [
    "Ada adopted a puppy from the shelter last weekend.",
    "The quarterly budget was approved by the board.",
    "Bob is allergic to peanuts and carries an injector.",
]
UNRELATED = [
    "How does a steam locomotive work?",
    "quantum chromodynamics on a lattice",
    "best recipe for sourdough bread",
    "football world cup final",
    "What is the capital of Mongolia?",
    "renew my passport",
    "Wie wird das Wetter am Montag?",
    "量子力学の歴史",
    "축구 경기",
    "ฟุตบอลโลก",
    "квантовая механика",
]
MODES = ["hybrid", "vector", "keyword"]


async def remember(client: httpx.AsyncClient, content: str, **more: Any) -> str:
    answer = await client.post("/v1/memories", json={"content": content, **more})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def search(client: httpx.AsyncClient, query: str, **more: Any) -> list[dict[str, Any]]:
    answer = await client.post("/v1/memories/search", json={"query": query, **more})
    assert answer.status_code == 200, answer.text
    results: list[dict[str, Any]] = answer.json()["results"]
    return results


async def stored(client: httpx.AsyncClient, *contents: str, **more: Any) -> None:
    for content in contents:
        await remember(client, content, **more)
    await indexed(client)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("query", UNRELATED)
async def test_what_has_nothing_to_do_with_the_query_scores_below_0_3(
    acme: httpx.AsyncClient, mode: str, query: str
) -> None:
    await stored(acme, *FACTS, "顧客は毎朝緑茶を飲みます", "고양이가 서울에서 잔다", session_id="s1")
    assert [r for r in await search(acme, query, mode=mode) if r["score"] >= 0.3] == []
    assert await search(acme, query, mode=mode, threshold=0.3) == []


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("facts", [FACTS[:1], FACTS, FACTS * 5])
async def test_a_memory_with_a_word_of_the_query_scores_at_least_0_3(
    acme: httpx.AsyncClient, mode: str, facts: list[str]
) -> None:
    await stored(acme, *facts)
    for query in ("puppy", "puppies", "What about the puppy and quantum chromodynamics on a lattice in Mongolia?"):
        best = (await search(acme, query, mode=mode, limit=1))[0]
        assert best["content"] == FACTS[0]
        assert best["score"] >= 0.3


async def test_a_better_match_scores_higher_across_answers(acme: httpx.AsyncClient) -> None:
    await stored(acme, *FACTS)
    exact, related, unrelated = [
        (await search(acme, query, limit=1))[0]["score"]
        for query in ("Ada adopted a puppy from the shelter", "Who got a young dog?", UNRELATED[0])
    ]
    assert exact > 0.8 > related > 0.3 > unrelated


async def test_a_score_stays_when_other_memories_are_found_too(acme: httpx.AsyncClient) -> None:
    await stored(acme, FACTS[0])
    alone = (await search(acme, "young dog", mode="vector"))[0]["score"]
    await stored(acme, "A young dog barked.", "Dogs are young once.")
    assert {r["content"]: r["score"] for r in await search(acme, "young dog", mode="vector")}[FACTS[0]] == alone


async def test_mode_keyword_returns_only_memories_with_a_word(acme: httpx.AsyncClient) -> None:
    await stored(acme, "Where did you park the car?", "Level three, near the lift.", session_id="s1")
    found = await search(acme, "car 大学", mode="keyword")
    assert [r["content"] for r in found] == ["Where did you park the car?"]


async def test_mode_keyword_does_not_take_a_part_of_a_word_for_it(acme: httpx.AsyncClient) -> None:
    await stored(acme, "東京で働く", "大学で学ぶ", "東京大学で教える", "プロの選手")
    assert [r["content"] for r in await search(acme, "プログラミング言語", mode="keyword")] == []
    assert {r["content"] for r in await search(acme, "東京", mode="keyword")} == {"東京で働く", "東京大学で教える"}


async def test_mode_vector_returns_only_what_has_a_vector(tmp_path: Path, embedder: InProcessEmbedder) -> None:
    async with serving(tmp_path / "acme", embedder, indexing=False) as acme:
        await remember(acme, FACTS[0])
        assert await search(acme, "puppy", mode="vector") == []
        assert len(await search(acme, "puppy", mode="keyword")) == 1


async def test_the_spread_to_neighbours_can_be_turned_off(acme: httpx.AsyncClient) -> None:
    for number in range(110):
        await remember(acme, f"The car number {number} is parked.", session_id="other")
    await stored(acme, "Where did you park the car Zanzibar?", "量子力学の歴史", session_id="s1")
    asked = {"limit": 100, "explain": True}
    spread = {r["content"]: r for r in await search(acme, "Zanzibar car park", **asked)}
    assert spread["量子力学の歴史"]["explanation"]["neighbour"] > 0
    assert "量子力学の歴史" not in [
        r["content"] for r in await search(acme, "Zanzibar car park", mode="vector", **asked)
    ]
    off = await search(acme, "Zanzibar car park", spread=False, **asked)
    assert "量子力学の歴史" not in [r["content"] for r in off]
    assert all(r["explanation"]["neighbour"] == 0 for r in off)


@pytest.mark.parametrize("mode", ["vector", "keyword"])
async def test_the_spread_adds_no_result_to_one_retriever_s_mode(acme: httpx.AsyncClient, mode: str) -> None:
    await stored(acme, "Ada fed the puppy.", "Grace fed the puppy.", "Hm.", session_id="s1")
    with_spread = await search(acme, "puppy", mode=mode)
    without = await search(acme, "puppy", mode=mode, spread=False)
    assert {r["id"] for r in with_spread} == {r["id"] for r in without}
    assert [r["score"] for r in with_spread] != [r["score"] for r in without]


async def test_the_last_word_of_a_long_query_is_used(acme: httpx.AsyncClient) -> None:
    await stored(acme, *FACTS)
    query = " ".join(f"filler{number}" for number in range(600)) + " puppy"
    for mode in ("hybrid", "keyword"):
        assert (await search(acme, query, mode=mode, limit=1))[0]["content"] == FACTS[0]


async def test_what_stands_at_the_end_of_a_long_content_is_found(acme: httpx.AsyncClient) -> None:
    filler = "The minutes of the meeting list who was present and what was on the agenda. " * 60
    end = " ".join([FACTS[0], "The little dog is ten weeks old and sleeps beside her bed."] * 4)
    await stored(acme, filler, filler + end, FACTS[1])
    best = (await search(acme, "Which pet lives at her home?", mode="vector", limit=1))[0]
    assert best["content"].endswith(end)
    assert best["score"] > (await search(acme, "Which pet lives at her home?", mode="vector"))[1]["score"] + 0.1


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"query": "a" * 8_193}, "body.query"),
        ({"query": ""}, "body.query"),
        ({"query": " \u3000\n"}, "body.query"),
        ({"query": "a", "mode": "graphic"}, "body.mode"),
        ({"query": "a", "limit": 3, "top_k": 4}, "body"),
        ({"query": "a", "limit": 101}, "body.limit"),
        ({"query": "a", "top_k": 101}, "body.top_k"),
        ({"query": "a", "threshold": 1.1}, "body.threshold"),
    ],
)
async def test_refuses_what_it_would_not_use(acme: httpx.AsyncClient, body: dict[str, Any], field: str) -> None:
    answer = await acme.post("/v1/memories/search", json=body)
    assert answer.status_code == 422
    assert [entry["field"] for entry in answer.json()["fields"]] == [field]


async def test_uses_all_of_the_longest_query(acme: httpx.AsyncClient) -> None:
    await stored(acme, FACTS[0])
    assert len(await search(acme, "puppy " + "緑" * 8_000)) == 1
