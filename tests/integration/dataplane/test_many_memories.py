"""Many memories in one request: batches, and deletions by id or filter."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest

from loci_dev.rigs.dataplane import indexed, serving
from loci_standalone.embedder import InProcessEmbedder

M, BATCH = "/v1/memories", "/v1/memories/batch"


async def batch(client: httpx.AsyncClient, *items: Any) -> dict[str, Any]:
    answer = await client.post(BATCH, json={"memories": list(items)})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def contents(client: httpx.AsyncClient) -> list[str]:
    return [memory["content"] for memory in (await client.get(M, params={"limit": 200})).json()["memories"]]


async def test_each_item_of_a_batch_has_its_own_status(acme: httpx.AsyncClient) -> None:
    good: dict[str, Any] = {"content": "an otter", "user_id": "ada", "metadata": None}
    result = await batch(
        acme,
        good,
        {"content": ""},
        {"content": "a", "colour": 1},
        7,
        {**good, "expires_at": "2020-01-01T00:00:00Z"},
        good,
    )
    assert [item["status"] for item in result["results"]] == [201, 422, 422, 422, 422, 201]
    assert result["stored"] == 2
    refused = [item["error"] for item in result["results"] if item["error"]]
    assert {error["error"] for error in refused} == {"validation_failed"}
    assert [error["fields"][0]["field"] for error in refused] == [
        "body.memories.1.content",
        "body.memories.2.colour",
        "body.memories.3",
        "body.memories.4.expires_at",
    ]
    for item in (result["results"][0], result["results"][5]):
        assert (await acme.get(f"{M}/{item['memory']['id']}")).json() == item["memory"]
    assert await contents(acme) == ["an otter"] * 2


async def test_a_batch_is_found_by_search(acme: httpx.AsyncClient) -> None:
    await batch(acme, *({"content": f"otter number {i}"} for i in range(256)))
    await indexed(acme)
    for mode in ("vector", "keyword"):
        found = await acme.post(f"{M}/search", json={"query": "otter number 97", "mode": mode, "limit": 100})
        assert "otter number 97" in [result["content"] for result in found.json()["results"]]


@pytest.mark.parametrize(
    "body", [{}, {"memories": []}, {"memories": None}, {"memories": [{"content": "a"}] * 257}, {"memories": {}}, []]
)
async def test_a_batch_has_1_to_256_items(acme: httpx.AsyncClient, body: Any) -> None:
    assert (await acme.post(BATCH, json=body)).status_code == 422
    assert await contents(acme) == []


async def test_the_quota_is_exact_under_concurrent_batches(tmp_path: Path, embedder: InProcessEmbedder) -> None:
    async with serving(tmp_path / "acme", embedder, max_memories=20) as acme:
        results = await asyncio.gather(*(batch(acme, *[{"content": "a"}] * 7) for _ in range(6)))
        statuses = [item["status"] for result in results for item in result["results"]]
        assert sorted(statuses) == [201] * 20 + [403] * 22
        assert sum(result["stored"] for result in results) == len(await contents(acme)) == 20


async def deleted(client: httpx.AsyncClient, body: Any = None, **query: str) -> int:
    answer = await client.request("DELETE", M, params=query, json=body)
    assert answer.status_code == 200, answer.text
    return int(answer.json()["deleted"])


async def test_deletes_by_user_agent_session_and_filter(acme: httpx.AsyncClient) -> None:
    users = [("ada", "s1", 1), ("ada", "s2", 2), ("bob", "s1", 3), ("bob", "s3", 4), ("eve", "s1", 5)]
    await batch(
        acme,
        *({"content": str(n), "user_id": user, "session_id": at, "metadata": {"n": n}} for user, at, n in users),
    )
    assert await deleted(acme, user_id="ada", session_id="s2") == 1
    assert await deleted(acme, {"filters": {"metadata.n": {"gt": 3}}}, user_id="bob") == 1
    assert await contents(acme) == ["1", "3", "5"]
    assert await deleted(acme, {"filters": {"metadata.n": 5}}) == 1
    assert await deleted(acme, user_id="nobody") == 0
    assert await deleted(acme, session_id="s1") == 2
    assert await contents(acme) == []


async def test_deleted_memories_are_in_no_search(acme: httpx.AsyncClient) -> None:
    await batch(acme, *({"content": f"otter {i}", "user_id": "ada" if i % 2 else "bob"} for i in range(20)))
    await indexed(acme)
    search = {"query": "otter", "limit": 100}
    assert len((await acme.post(f"{M}/search", json=search)).json()["results"]) == 20
    assert await deleted(acme, user_id="ada") == 10
    results = (await acme.post(f"{M}/search", json=search)).json()["results"]
    assert {result["user_id"] for result in results} == {"bob"}


REFUSED: dict[str, tuple[str, Any]] = {
    "nothing": ("", None),
    "an empty filter": ("", {"filters": {}}),
    "null": ("", {"filters": None}),
    "a filter without a comparison": ("", {"filters": {"AND": [{"OR": []}, {"NOT": {}}]}}),
    "an empty user": ("?user_id=", None),
    "a blank user": ("?user_id=%20", None),
    "an empty user beside another id": ("?user_id=&session_id=a", None),
    "a misspelt user": ("?user=ada", None),
    "a misspelt user beside another id": ("?user=ada&agent_id=a", None),
    "two users": ("?user_id=ada&user_id=bob", None),
    "a misspelt filter": ("?user_id=ada", {"filter": {"metadata.a": 1}}),
    "a filter without its name": ("?user_id=ada", {"metadata.a": 1}),
    "an invalid filter": ("?user_id=ada", {"filters": {"colour": 1}}),
    "a list": ("?user_id=ada", [{"user_id": "ada"}]),
}


@pytest.mark.parametrize(("query", "body"), REFUSED.values(), ids=REFUSED.keys())
async def test_a_deletion_that_does_not_say_what_deletes_nothing(
    acme: httpx.AsyncClient, query: str, body: Any
) -> None:
    await batch(acme, {"content": "an otter", "user_id": "ada", "agent_id": "a", "session_id": "a"})
    assert (await acme.request("DELETE", f"{M}{query}", json=body)).status_code == 422
    assert await contents(acme) == ["an otter"]
