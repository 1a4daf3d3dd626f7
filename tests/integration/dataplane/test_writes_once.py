"""Retries with an Idempotency-Key, ids of one's own, and fields that other services name otherwise."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from loci_dev.rigs.dataplane import serving
from loci_standalone.embedder import InProcessEmbedder

KEY = {"Idempotency-Key": "one"}


async def count(client: httpx.AsyncClient) -> int:
    return int((await client.get("/v1/usage")).json()["memories"])


def same(first: httpx.Response, second: httpx.Response) -> bool:
    names = ("etag", "location", "content-type")
    return (first.status_code, first.content, [first.headers.get(n) for n in names]) == (
        second.status_code,
        second.content,
        [second.headers.get(n) for n in names],
    )


@pytest.mark.invariant(2)
async def test_64_identical_requests_at_once_make_one_memory(acme: httpx.AsyncClient) -> None:
    body = {"content": "an otter"}
    answers = await asyncio.gather(*(acme.post("/v1/memories", json=body, headers=KEY) for _ in range(64)))
    assert {answer.status_code for answer in answers} == {201}
    assert all(same(answers[0], answer) for answer in answers)
    assert await count(acme) == 1


async def test_a_retry_gets_the_same_response_whatever_happened_since(acme: httpx.AsyncClient) -> None:
    first = await acme.post("/v1/memories", json={"content": "an otter", "user_id": "ada"}, headers=KEY)
    path = first.headers["location"]
    assert path == f"/v1/memories/{first.json()['id']}"
    await acme.patch(path, json={"content": "a badger"})
    await acme.delete(path)
    again = await acme.post("/v1/memories", content=b'{"user_id":"ada",  "content":"an otter"}', headers=KEY)
    assert same(first, again)
    assert await count(acme) == 0


REQUESTS: list[tuple[str, str, Any]] = [
    ("POST", "/v1/memories", {"content": "an otter"}),
    ("POST", "/v1/memories/batch", {"memories": [{"content": "an otter"}, {"content": ""}]}),
    ("PATCH", "/v1/memories/own", {"content": "a badger"}),
    ("PUT", "/v1/memories/own", {"content": "a badger"}),
    ("DELETE", "/v1/memories/own", None),
    ("DELETE", "/v1/memories?user_id=ada", None),
    ("DELETE", "/v1/memories", {"filters": {"user_id": "ada"}}),
]


@pytest.mark.parametrize(("method", "path", "body"), REQUESTS, ids=lambda value: str(value)[:30])
async def test_each_write_is_done_once(acme: httpx.AsyncClient, method: str, path: str, body: Any) -> None:
    await acme.post("/v1/memories", json={"id": "own", "content": "mine", "user_id": "ada"})
    first = await acme.request(method, path, json=body, headers=KEY)
    assert first.is_success, first.text
    held = (await acme.get("/v1/memories")).content
    assert same(first, await acme.request(method, path, json=body, headers=KEY))
    assert (await acme.get("/v1/memories")).content == held


@pytest.mark.parametrize(("method", "path", "body"), REQUESTS, ids=lambda value: str(value)[:30])
async def test_a_key_of_another_request_is_a_conflict(
    acme: httpx.AsyncClient, method: str, path: str, body: Any
) -> None:
    await acme.post("/v1/memories", json={"id": "own", "content": "mine", "user_id": "ada"})
    await acme.post("/v1/memories", json={"content": "first"}, headers=KEY)
    answer = await acme.request(method, path, json=body, headers=KEY)
    assert (answer.status_code, answer.json()["error"]) == (409, "conflict")
    assert await count(acme) == 2


async def test_many_equal_deletions_at_once_all_tell_the_whole_number(acme: httpx.AsyncClient) -> None:
    memories = [{"content": f"otter {n}", "user_id": "ada"} for n in range(200)]
    await acme.post("/v1/memories/batch", json={"memories": memories})
    requests = (acme.delete("/v1/memories?user_id=ada", headers=KEY) for _ in range(16))
    assert {answer.text for answer in await asyncio.gather(*requests)} == {'{"deleted":200}'}


async def test_a_refused_request_may_be_corrected_under_its_key(acme: httpx.AsyncClient) -> None:
    assert (await acme.post("/v1/memories", json={"content": " "}, headers=KEY)).status_code == 422
    assert (await acme.delete("/v1/memories/own", headers=KEY)).status_code == 404
    assert (await acme.post("/v1/memories", json={"content": "an otter"}, headers=KEY)).status_code == 201


@pytest.mark.parametrize("key", ["", "k" * 256])
async def test_a_key_has_1_to_255_characters(acme: httpx.AsyncClient, key: str) -> None:
    answer = await acme.post("/v1/memories", json={"content": "x"}, headers={"Idempotency-Key": key})
    assert answer.status_code == 422
    assert answer.json()["fields"][0]["field"] == "header.Idempotency-Key"


async def test_a_reply_is_kept_for_24_hours(tmp_path: Path, embedder: InProcessEmbedder) -> None:
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    async with serving(tmp_path / "acme", embedder, now=lambda: moment) as client:
        first = await client.post("/v1/memories", json={"content": "an otter"}, headers=KEY)
        moment += timedelta(hours=23, minutes=59)
        assert same(first, await client.post("/v1/memories", json={"content": "an otter"}, headers=KEY))
        moment += timedelta(minutes=1)
        assert not same(first, await client.post("/v1/memories", json={"content": "an otter"}, headers=KEY))


@pytest.mark.parametrize("own", ["own", "0", "A.b:c_d-e", "x" * 128, "mem_01KB8C2W5Z9X3V4T6R7Q8P9N0M"])
async def test_an_id_of_ones_own_names_the_memory(acme: httpx.AsyncClient, own: str) -> None:
    stored = await acme.post("/v1/memories", json={"id": own, "content": "an otter"})
    assert (stored.status_code, stored.json()["id"], stored.headers["location"]) == (201, own, f"/v1/memories/{own}")
    assert (await acme.get(f"/v1/memories/{own}")).json()["content"] == "an otter"


@pytest.mark.parametrize("own", ["", " ", "a/b", "a b", "ä", ".", "..", "_a", "x" * 129, "mem_1", "search", "batch", 1])
async def test_what_is_no_id_is_refused(acme: httpx.AsyncClient, own: Any) -> None:
    answer = await acme.post("/v1/memories", json={"id": own, "content": "an otter"})
    assert answer.status_code == 422
    assert answer.json()["fields"][0]["field"] == "body.id"


async def test_an_id_that_is_taken_is_a_conflict(acme: httpx.AsyncClient) -> None:
    for status in (201, 409):
        assert (await acme.post("/v1/memories", json={"id": "own", "content": "x"})).status_code == status
    batch = {"memories": [{"id": "own", "content": "x"}, {"id": "two", "content": "x"}, {"id": "two", "content": "y"}]}
    results = (await acme.post("/v1/memories/batch", json=batch)).json()["results"]
    assert [result["status"] for result in results] == [409, 201, 409]
    assert await count(acme) == 2


async def test_an_id_is_free_after_deletion_and_its_old_etags_are_stale(acme: httpx.AsyncClient) -> None:
    first = await acme.post("/v1/memories", json={"id": "own", "content": "an otter"})
    await acme.delete("/v1/memories/own")
    second = await acme.post("/v1/memories", json={"id": "own", "content": "a badger"})
    assert second.status_code == 201
    stale = {"If-Match": first.headers["etag"]}
    assert (await acme.patch("/v1/memories/own", json={"content": "x"}, headers=stale)).status_code == 409


async def test_an_expired_memorys_id_is_free(tmp_path: Path, embedder: InProcessEmbedder) -> None:
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    async with serving(tmp_path / "acme", embedder, now=lambda: moment, indexing=False) as client:
        body = {"id": "own", "content": "x", "expires_at": "2026-01-02T00:00:00Z"}
        await client.post("/v1/memories", json=body)
        moment += timedelta(days=2)
        assert (await client.post("/v1/memories", json={"id": "own", "content": "y"})).status_code == 201
        assert await count(client) == 1


async def test_messages_are_remembered_as_one_text(acme: httpx.AsyncClient) -> None:
    said = [{"role": "user", "content": "I like otters"}, {"role": "assistant", "content": "Noted."}]
    both = (await acme.post("/v1/memories", json={"messages": said, "run_id": "r1"})).json()
    assert (both["content"], both["session_id"]) == ("user: I like otters\nassistant: Noted.", "r1")
    one = (await acme.post("/v1/memories", json={"messages": said[:1]})).json()
    assert one["content"] == "I like otters"
    listed = (await acme.get("/v1/memories?run_id=r1")).json()["memories"]
    assert [memory["id"] for memory in listed] == [both["id"]]
    assert (await acme.delete("/v1/memories?run_id=r1")).json() == {"deleted": 1}


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"messages": []},
        {"content": "x", "messages": [{"role": "user", "content": "y"}]},
        {"messages": [{"role": "user"}]},
        {"messages": [{"role": "user", "content": "x", "name": "y"}]},
        {"messages": [{"role": "", "content": "x"}]},
        {"messages": [{"role": "user", "content": "x" * 20_000}] * 2},
        {"content": "x", "run_id": "a", "session_id": "b"},
        {"content": "x", "app_id": "a"},
    ],
    ids=str,
)
async def test_what_means_nothing_or_two_things_is_refused(acme: httpx.AsyncClient, body: Any) -> None:
    assert (await acme.post("/v1/memories", json=body)).status_code == 422
    assert await count(acme) == 0


@pytest.mark.parametrize(
    "filters",
    [
        {},
        {"OR": [{}, {"user_id": "ada"}]},
        {"OR": []},
        {"AND": [{"OR": [{"user_id": "ada"}, {"AND": []}]}]},
        {"NOT": {"OR": [{}]}},
        {"NOT": {}},
    ],
    ids=str,
)
async def test_a_deletion_that_names_nothing_is_refused(acme: httpx.AsyncClient, filters: Any) -> None:
    await acme.post("/v1/memories", json={"content": "x"})
    assert (await acme.request("DELETE", "/v1/memories", json={"filters": filters})).status_code == 422
    assert await count(acme) == 1
