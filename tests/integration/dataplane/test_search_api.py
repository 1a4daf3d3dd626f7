"""Finding memories: by meaning, by words, by filter, and what happens when a part is missing."""

from __future__ import annotations

import asyncio
import shutil
import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from loci_dataplane.model.memory import Memory
from loci_dataplane.search.retrievers.vector import VectorRetriever
from loci_dataplane.search.schemas import SearchInput
from loci_dataplane.search.service import Search
from loci_dataplane.stores.embedded import embedded_stores
from loci_dataplane.stores.embedding import Purpose
from loci_dataplane.stores.http_embedder import HttpEmbedder
from loci_dev.rigs.dataplane import indexed, serving
from loci_dev.rigs.processes import free_port
from loci_standalone.embedder import InProcessEmbedder

TALK = [
    "Ada adopted a puppy from the shelter last weekend.",
    "The quarterly budget was approved by the board.",
    "Bob is allergic to peanuts and carries an injector.",
    "They plan to hike the northern ridge in September.",
    "The printer on the second floor is out of toner.",
]


async def remember(client: httpx.AsyncClient, content: str, **more: Any) -> str:
    answer = await client.post("/v1/memories", json={"content": content, **more})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def search(client: httpx.AsyncClient, query: str, **more: Any) -> dict[str, Any]:
    answer = await client.post("/v1/memories/search", json={"query": query, **more})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def contents(client: httpx.AsyncClient, query: str, **more: Any) -> list[str]:
    return [result["content"] for result in (await search(client, query, **more))["results"]]


@pytest.fixture
async def talk(acme: httpx.AsyncClient) -> httpx.AsyncClient:
    for line in TALK:
        await remember(acme, line, metadata={"words": len(line.split())})
    await indexed(acme)
    return acme


@pytest.mark.parametrize("mode", ["hybrid", "vector"])
@pytest.mark.parametrize(
    ("query", "line"),
    [("Who got a young dog?", 0), ("What food is dangerous to someone?", 2), ("mountain walking trip", 3)],
)
async def test_finds_a_paraphrase(talk: httpx.AsyncClient, mode: str, query: str, line: int) -> None:
    assert (await contents(talk, query, mode=mode, limit=1)) == [TALK[line]]


async def test_finds_words_in_other_forms(talk: httpx.AsyncClient) -> None:
    assert await contents(talk, "hiking plans", mode="keyword") == [TALK[3]]
    assert await contents(talk, "of the and", mode="keyword", limit=1)
    assert await contents(talk, "?!", mode="keyword") == []


async def test_limits_and_orders_results(talk: httpx.AsyncClient) -> None:
    results = (await search(talk, "a puppy or peanuts", top_k=3))["results"]
    assert len(results) == 3
    assert [r["score"] for r in results] == sorted((r["score"] for r in results), reverse=True)
    assert len(await contents(talk, "a puppy or peanuts", threshold=results[1]["score"])) == 2


async def test_explains_where_a_score_comes_from(talk: httpx.AsyncClient) -> None:
    best = (await search(talk, "puppy", explain=True))["results"][0]
    assert best["explanation"]["keyword"]["rank"] == best["explanation"]["vector"]["rank"] == 1
    assert "explanation" not in (await search(talk, "puppy"))["results"][0]


async def test_a_filter_narrows_every_mode(talk: httpx.AsyncClient) -> None:
    for mode in ("hybrid", "vector", "keyword"):
        filters = {"OR": [{"metadata.words": {"lt": 9}}, {"metadata.words": {"gte": 10}}]}
        found = await contents(talk, "a puppy, peanuts, budget, hike, printer", mode=mode, filters=filters)
        assert set(found) == {line for line in TALK if len(line.split()) != 9}
        assert await contents(talk, "puppy", mode=mode, filters={"user_id": "nobody"}) == []


async def test_the_answer_beside_a_hit_is_found_with_it(acme: httpx.AsyncClient) -> None:
    await remember(acme, "Where did you park the car?", session_id="s1")
    answer = await remember(acme, "Level three, near the lift.", session_id="s1")
    await remember(acme, "Level three of the game is hard.", session_id="s2")
    await indexed(acme)
    found = (await search(acme, "park car", explain=True))["results"]
    assert found[1]["id"] == answer
    assert found[1]["explanation"]["neighbour"] > 0


@pytest.mark.invariant(2)
async def test_a_deleted_memory_is_found_no_more_even_while_its_vector_is_there(
    tmp_path: Path, embedder: InProcessEmbedder
) -> None:
    async with serving(tmp_path / "acme", embedder) as acme:
        gone = await remember(acme, TALK[0], session_id="s1")
        kept = await remember(acme, TALK[1], session_id="s1")
        await indexed(acme)
    async with serving(tmp_path / "acme", embedder, indexing=False) as acme:
        assert (await acme.delete(f"/v1/memories/{gone}")).status_code == 204
        for mode in ("hybrid", "vector", "keyword"):
            found = (await search(acme, "puppy budget", mode=mode))["results"]
            assert [result["id"] for result in found] == [kept]


async def test_a_neighbour_that_the_filter_excludes_is_not_found(acme: httpx.AsyncClient) -> None:
    await remember(acme, "Where did you park the car?", session_id="s1", user_id="ada")
    await remember(acme, "Level three, near the lift.", session_id="s1", user_id="bob")
    await indexed(acme)
    for mode in ("hybrid", "vector", "keyword"):
        found = await contents(acme, "park car", mode=mode, filters={"user_id": "ada"})
        assert found == ["Where did you park the car?"]


async def test_a_filtered_search_uses_the_index_before_all_that_it_admits_is_there(
    tmp_path: Path, embedder: InProcessEmbedder
) -> None:
    async with serving(tmp_path / "acme", embedder) as acme:
        await remember(acme, TALK[0], user_id="ada")
        await indexed(acme)
    async with serving(tmp_path / "acme", embedder, indexing=False) as acme:
        await remember(acme, TALK[1], user_id="ada")
        found = await search(acme, "young dog", mode="vector", filters={"user_id": "ada"})
        assert [result["content"] for result in found["results"]] == [TALK[0]]
        assert found["degraded"] == []


async def test_a_narrow_filter_finds_what_lies_behind_a_hundred_nearer_ones(acme: httpx.AsyncClient) -> None:
    await remember(acme, TALK[1], user_id="bob")
    await asyncio.gather(*(remember(acme, f"Otter {i} sleeps.", user_id="ada") for i in range(110)))
    await indexed(acme)
    assert await contents(acme, "a sleepy otter", mode="vector", filters={"user_id": "bob"}) == [TALK[1]]


@pytest.mark.invariant(2)
async def test_the_index_holds_what_the_records_hold(tmp_path: Path, embedder: InProcessEmbedder) -> None:
    async with serving(tmp_path / "acme", embedder) as acme:
        stored = [await remember(acme, line) for line in TALK]
        for memory in stored[:2]:
            await acme.delete(f"/v1/memories/{memory}")
        await indexed(acme)
    async with embedded_stores(tmp_path / "acme") as stores:
        assert await stores.vectors.count() == await stores.records.count() == 3


async def test_a_changed_memory_is_found_by_what_it_says_now(acme: httpx.AsyncClient) -> None:
    changed = await remember(acme, TALK[0])
    await remember(acme, TALK[1])
    await acme.patch(f"/v1/memories/{changed}", json={"content": TALK[2]})
    await indexed(acme)
    assert await contents(acme, "food allergy", mode="vector", limit=1) == [TALK[2]]
    assert await contents(acme, "puppy", mode="keyword") == []


async def test_a_repeated_search_comes_from_the_cache_until_something_changes(talk: httpx.AsyncClient) -> None:
    first = await search(talk, "puppy")
    assert await search(talk, "puppy") == first
    assert 'memory_cache_hit_ratio{tenant="acme"} 0.5' in (await talk.get("/metrics")).text
    puppy = first["results"][0]["id"]
    await talk.patch(f"/v1/memories/{puppy}", json={"metadata": {"seen": True}})
    assert (await search(talk, "puppy"))["results"][0]["metadata"] == {"seen": True}
    await talk.delete(f"/v1/memories/{puppy}")
    assert puppy not in [result["id"] for result in (await search(talk, "puppy"))["results"]]


async def test_no_search_misses_what_was_acknowledged_before_it(acme: httpx.AsyncClient) -> None:
    async def write_and_look(number: int) -> bool:
        stored = await remember(acme, f"otter number{number}")
        found = await search(acme, f"number{number}", mode="keyword")
        return stored in [result["id"] for result in found["results"]]

    assert all(await asyncio.gather(*(write_and_look(i) for i in range(32))))


async def test_without_the_embedder_writes_last_and_searches_say_what_is_missing(tmp_path: Path) -> None:
    async with (
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{free_port()}") as nobody,
        serving(tmp_path / "acme", HttpEmbedder(nobody)) as acme,
    ):
        stored = await remember(acme, TALK[0])
        found = await search(acme, "puppy")
        assert [result["id"] for result in found["results"]] == [stored]
        assert found["degraded"] == ["vector"]
        refused = await acme.post("/v1/memories/search", json={"query": "puppy", "mode": "vector"})
        assert (refused.status_code, refused.json()["error"]) == (503, "service_unavailable")
        health = await acme.get("/health")
        assert (health.status_code, health.json()["status"]) == (200, "degraded")
        assert {n: s for n, s in health.json()["components"].items() if s != "healthy"} == {"embedder": "unhealthy"}


async def test_an_embedder_that_never_answers_is_left_out(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # connections wait in its backlog
        url = "http://{}:{}".format(*silent.getsockname())
        async with (
            asyncio.timeout(60),
            httpx.AsyncClient(base_url=url, timeout=None) as patient,  # noqa: S113 - the deadline under test is ours
            serving(tmp_path / "acme", HttpEmbedder(patient)) as acme,
        ):
            stored = await remember(acme, TALK[0])
            found = await search(acme, "puppy")
            assert [result["id"] for result in found["results"]] == [stored]
            assert found["degraded"] == ["vector"]


async def test_what_was_written_without_the_embedder_is_found_by_meaning_once_it_is_back(
    tmp_path: Path, embedder: InProcessEmbedder
) -> None:
    async with (
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{free_port()}") as nobody,
        serving(tmp_path / "acme", HttpEmbedder(nobody)) as acme,
    ):
        for line in TALK:
            await remember(acme, line)
    async with serving(tmp_path / "acme", embedder) as acme:
        await indexed(acme)
        assert await contents(acme, "Who got a young dog?", mode="vector", limit=1) == [TALK[0]]


async def test_what_has_expired_does_not_stand_in_the_way_of_the_living(
    tmp_path: Path, embedder: InProcessEmbedder
) -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    soon = (now + timedelta(minutes=1)).isoformat()
    async with serving(tmp_path / "acme", embedder, now=lambda: now) as client:
        for number in range(110):
            await remember(client, f"the cat sat on the mat {number}", expires_at=soon)
        living = await remember(client, "a feline animal rested upon the carpet")
        await indexed(client)
        now += timedelta(hours=1)
        await client.patch(f"/v1/memories/{living}", json={"agent_id": "wakes the indexer, whose clock has jumped"})
        await swept(client)
        assert await contents(client, "the cat sat on the mat", mode="vector") == [
            "a feline animal rested upon the carpet"
        ]


async def swept(client: httpx.AsyncClient) -> None:
    """Wait until what has expired is removed, and from the index too."""
    async with asyncio.timeout(60):
        while (await client.get("/v1/usage")).json()["memories"] > 1:  # noqa: ASYNC110 - only HTTP tells
            await asyncio.sleep(0.05)
    await indexed(client)


async def test_a_filter_that_admits_many_is_kept_to(tmp_path: Path, embedder: InProcessEmbedder) -> None:
    moment = datetime.now(UTC)
    async with embedded_stores(tmp_path) as stores:
        for number, content in enumerate(TALK):
            user = "ada" if number % 2 else "bob"
            memory = Memory(f"mem_{number}", content, user, None, None, {}, moment, moment)
            async with stores.transaction() as transaction:
                await transaction.add(memory, 100)
            await stores.vectors.replace(
                {memory.id: await embedder.embed([content], Purpose.PASSAGE, interactive=False)}
            )
        for exact_filter in (1, 100):
            retriever = VectorRetriever(stores, embedder)
            retriever.exact_filter = exact_filter
            search = Search(stores, [retriever], lambda: moment)
            wanted = SearchInput(query="an adopted puppy", mode="vector", filters={"user_id": "ada"})
            assert {result.id for result in (await search.search(wanted)).results} == {"mem_1", "mem_3"}


async def test_an_index_that_was_lost_is_made_anew(tmp_path: Path, embedder: InProcessEmbedder) -> None:
    async with serving(tmp_path / "acme", embedder) as client:
        for line in TALK:
            await remember(client, line)
        await indexed(client)
    shutil.rmtree(tmp_path / "acme" / "chroma")
    async with serving(tmp_path / "acme", embedder) as client, asyncio.timeout(30):
        while await contents(client, "Who got a young dog?", mode="vector", limit=1) != [TALK[0]]:  # noqa: ASYNC110 - only HTTP tells
            await asyncio.sleep(0.05)
