"""Storing, reading, changing, listing and deleting memories."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from loci_contract.errors import ErrorBody
from loci_dev.rigs.dataplane import indexed, serving
from loci_standalone.embedder import InProcessEmbedder

FULL = {
    "content": "The otter sleeps in the blue canoe.",
    "user_id": "ada",
    "agent_id": "guide",
    "session_id": "river",
    "metadata": {"speaker": "Ada", "nested": {"list": [1, 2.5, None, True]}},
    "created_at": "2026-01-31T14:00:00+02:00",
    "expires_at": "2126-01-31T12:00:00Z",
}


class Clock:
    """Time that passes when told to."""

    def __init__(self) -> None:
        self.time = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.time


async def stored(client: httpx.AsyncClient, content: str = "an otter", **more: Any) -> httpx.Response:
    answer = await client.post("/v1/memories", json={"content": content, **more})
    assert answer.status_code == 201, answer.text
    return answer


async def listed(client: httpx.AsyncClient, **query: str | int) -> list[str]:
    answer = await client.get("/v1/memories", params=query)
    assert answer.status_code == 200, answer.text
    return [memory["content"] for memory in answer.json()["memories"]]


async def test_what_is_stored_reads_back(acme: httpx.AsyncClient) -> None:
    created = await acme.post("/v1/memories", json=FULL)
    assert created.status_code == 201
    read = await acme.get(created.headers["location"])
    assert read.json() == created.json()
    assert read.headers["etag"] == created.headers["etag"]
    expected = {**FULL, "created_at": "2026-01-31T12:00:00Z", "id": created.json()["id"]}
    assert {name: value for name, value in read.json().items() if name != "updated_at"} == expected


async def test_only_content_is_needed(acme: httpx.AsyncClient) -> None:
    body = (await stored(acme)).json()
    assert body["metadata"] == {}
    assert body["user_id"] is body["expires_at"] is None
    assert body["created_at"] == body["updated_at"]


async def test_put_replaces_and_patch_changes(acme: httpx.AsyncClient) -> None:
    created = (await acme.post("/v1/memories", json=FULL)).json()
    path = f"/v1/memories/{created['id']}"
    patched = (await acme.patch(path, json={"user_id": None, "metadata": {"a": 1}})).json()
    assert {**created, "user_id": None, "metadata": {"a": 1}, "updated_at": patched["updated_at"]} == patched
    replaced = (await acme.put(path, json={"content": "a badger"})).json()
    assert (replaced["content"], replaced["session_id"], replaced["metadata"]) == ("a badger", None, {})
    assert replaced["created_at"] == created["created_at"]
    assert (await acme.get(path)).json() == replaced


async def test_a_change_of_what_was_changed_meanwhile_is_a_conflict(acme: httpx.AsyncClient) -> None:
    created = await stored(acme)
    path, old = created.headers["location"], {"if-match": created.headers["etag"]}
    changed = await acme.patch(path, json={"content": "new"}, headers=old)
    assert changed.status_code == 200
    for method, body in (("PATCH", {"content": "x"}), ("PUT", {"content": "x"}), ("DELETE", None)):
        answer = await acme.request(method, path, json=body, headers=old)
        assert (answer.status_code, answer.json()["error"]) == (409, "conflict")
    assert (await acme.delete(path, headers={"if-match": changed.headers["etag"]})).status_code == 204


async def test_concurrent_changes_with_one_etag_let_one_through(acme: httpx.AsyncClient) -> None:
    created = await stored(acme)
    path, match = created.headers["location"], {"if-match": created.headers["etag"]}
    tries = (acme.patch(path, json={"content": f"try {i}"}, headers=match) for i in range(8))
    assert sorted(answer.status_code for answer in await asyncio.gather(*tries)) == [200] + [409] * 7


async def test_what_is_deleted_is_gone(acme: httpx.AsyncClient) -> None:
    path = (await stored(acme)).headers["location"]
    deleted = await acme.delete(path)
    assert (deleted.status_code, deleted.content) == (204, b"")
    for method, body in (("GET", None), ("PATCH", {"content": "x"}), ("PUT", {"content": "x"}), ("DELETE", None)):
        answer = await acme.request(method, path, json=body)
        assert (answer.status_code, answer.json()["error"]) == (404, "not_found")
    assert await listed(acme) == []


async def test_pages_hold_every_memory_once_while_others_come_and_go(acme: httpx.AsyncClient) -> None:
    paths = [(await stored(acme, f"memory {i}")).headers["location"] for i in range(10)]
    seen, cursor = [], None
    while True:
        query: dict[str, str | int] = {"limit": 3} | ({"cursor": cursor} if cursor else {})
        page = (await acme.get("/v1/memories", params=query)).json()
        seen += [memory["content"] for memory in page["memories"]]
        if (cursor := page["next_cursor"]) is None:
            break
        await acme.delete(paths[0])
        await stored(acme, "later")
    assert seen[:10] == [f"memory {i}" for i in range(10)]


async def pages(client: httpx.AsyncClient, **query: str | int) -> list[str]:
    """The contents of all pages, from the first to the last."""
    seen: list[str] = []
    cursor = ""
    while True:
        page = (await client.get("/v1/memories", params={**query, "cursor": cursor})).json()
        seen += [memory["content"] for memory in page["memories"]]
        if (cursor := page["next_cursor"]) is None:
            return seen


async def test_lists_from_the_oldest_or_from_the_newest(acme: httpx.AsyncClient) -> None:
    for number in range(7):
        await stored(acme, str(number), user_id="ada" if number % 2 else "bob")
    assert await pages(acme, limit=3) == await pages(acme, limit=3, order="asc") == list("0123456")
    assert await pages(acme, limit=3, order="desc") == list("6543210")
    assert await pages(acme, limit=2, order="desc", user_id="ada") == list("531")


async def test_the_newest_first_shows_each_memory_once_while_others_come(acme: httpx.AsyncClient) -> None:
    for number in range(4):
        await stored(acme, str(number))
    first = (await acme.get("/v1/memories", params={"order": "desc", "limit": 2})).json()
    await stored(acme, "later")
    assert await listed(acme, order="desc", cursor=first["next_cursor"]) == ["1", "0"]


@pytest.mark.parametrize(("order", "other"), [("asc", "desc"), ("desc", "asc")])
async def test_a_cursor_belongs_to_its_order(acme: httpx.AsyncClient, order: str, other: str) -> None:
    for number in range(2):
        await stored(acme, str(number))
    cursor = (await acme.get("/v1/memories", params={"order": order, "limit": 1})).json()["next_cursor"]
    answer = await acme.get("/v1/memories", params={"order": other, "cursor": cursor})
    assert answer.status_code == 422
    assert answer.json()["fields"][0]["field"] == "query.cursor"
    assert f"order={order}" in answer.json()["message"]


async def test_empty_parameters_are_as_if_left_out_but_an_empty_id_is_refused(acme: httpx.AsyncClient) -> None:
    await stored(acme, "one", user_id="ada")
    assert await listed(acme, limit="", order="", cursor="") == ["one"]
    for name in ("user_id", "agent_id", "session_id"):
        for blank in ("", " "):
            answer = await acme.get("/v1/memories", params={name: blank})
            assert answer.status_code == 422
            assert answer.json()["fields"][0]["field"] == f"query.{name}"


async def test_an_expiry_must_be_in_the_future(tmp_path: Path, embedder: InProcessEmbedder) -> None:
    clock = Clock()
    async with serving(tmp_path / "acme", embedder, now=clock) as acme:
        path = (await stored(acme, expires_at="2026-01-01T00:00:00.000001Z")).headers["location"]
        for method, place in (("POST", "/v1/memories"), ("PUT", path), ("PATCH", path)):
            for past in ("2025-12-31T23:59:59Z", "2026-01-01T01:00:00+01:00"):
                answer = await acme.request(method, place, json={"content": "a", "expires_at": past})
                assert answer.status_code == 422
                assert answer.json()["fields"][0]["field"] == "body.expires_at"
                assert "must be in the future" in answer.json()["message"]
        assert len(await listed(acme)) == 1


async def test_null_is_left_out_when_stored_and_clears_when_patched(acme: httpx.AsyncClient) -> None:
    optional = ("user_id", "agent_id", "session_id", "metadata", "created_at", "expires_at")
    bare = await stored(acme, "bare")
    null = await stored(acme, "bare", **dict.fromkeys(optional))
    assert [null.json()[name] for name in optional[:4]] == [bare.json()[name] for name in optional[:4]]
    full = (await acme.post("/v1/memories", json=FULL)).json()
    path, clear = f"/v1/memories/{full['id']}", ("user_id", "agent_id", "session_id", "metadata", "expires_at")
    cleared = (await acme.patch(path, json=dict.fromkeys(clear))).json()
    assert [cleared[name] for name in clear] == [None, None, None, {}, None]
    searched = {"query": "bare", "filters": None, "limit": None, "top_k": None, "threshold": None, "mode": None}
    assert (await acme.post("/v1/memories/search", json={**searched, "explain": None})).status_code == 200


METADATA = {
    "app.version": "1.2",
    "größe": 4,
    "first name": "Ada",
    'say "hi"': True,
    "app": {"build": {"no": 7}},
    "tags": ["Blue", {"deep": 2.5}],
    "big": 2**63 - 1,
    "": None,
}
PATHS: dict[str, Any] = {
    "metadata.app.version": "1.2",
    'metadata."app.version"': "1.2",
    "metadata.größe": 4,
    "metadata.first name": "Ada",
    'metadata.say "hi"': True,
    "metadata.app.build.no": 7,
    "metadata.tags.1.deep": 2.5,
    "metadata.tags": {"contains": "blue"},
    "metadata.big": {"gt": 2**63 - 2},
    'metadata.""': None,
}


@pytest.mark.parametrize(("path", "comparison"), PATHS.items(), ids=PATHS.keys())
async def test_what_is_stored_in_metadata_can_be_searched_by(
    acme: httpx.AsyncClient, path: str, comparison: Any
) -> None:
    await stored(acme, "an otter", metadata=METADATA)
    await stored(acme, "an otter", metadata={"": "other"})
    for mode in ("keyword", "hybrid"):
        search = {"query": "otter", "filters": {path: comparison}, "mode": mode}
        found = await acme.post("/v1/memories/search", json=search)
        assert [result["metadata"] for result in found.json()["results"]] == [METADATA], found.text


async def test_lists_by_user_agent_and_session(acme: httpx.AsyncClient) -> None:
    await stored(acme, "one", user_id="ada", session_id="s1")
    await stored(acme, "two", user_id="ada", session_id="s2")
    await stored(acme, "three", user_id="bob", agent_id="guide")
    assert await listed(acme) == ["one", "two", "three"]
    assert await listed(acme, user_id="ada") == ["one", "two"]
    assert await listed(acme, user_id="ada", session_id="s2") == ["two"]
    assert await listed(acme, agent_id="guide") == ["three"]
    assert await listed(acme, user_id="' OR 1=1 --") == []


async def test_what_has_expired_is_nowhere_and_makes_room(tmp_path: Path, embedder: InProcessEmbedder) -> None:
    clock = Clock()
    async with serving(tmp_path / "acme", embedder, now=clock, max_memories=2) as acme:
        path = (await stored(acme, "a brief otter", expires_at="2026-01-02T00:00:00Z")).headers["location"]
        await stored(acme, "a lasting otter")
        await indexed(acme)
        assert (await acme.get(path)).status_code == 200
        clock.time += timedelta(days=2)
        assert (await acme.get(path)).status_code == (await acme.delete(path)).status_code == 404
        assert await listed(acme) == ["a lasting otter"]
        for mode in ("hybrid", "vector", "keyword"):
            found = await acme.post("/v1/memories/search", json={"query": "otter", "mode": mode})
            assert [result["content"] for result in found.json()["results"]] == ["a lasting otter"]
        await stored(acme, "room for this one")
        assert (await acme.post("/v1/memories", json={"content": "but not for this"})).status_code == 403


async def test_the_quota_is_exact_under_64_concurrent_writers(tmp_path: Path, embedder: InProcessEmbedder) -> None:
    async with serving(tmp_path / "acme", embedder, max_memories=20) as acme:
        writers = (acme.post("/v1/memories", json={"content": f"memory {i}"}) for i in range(64))
        answers = await asyncio.gather(*writers)
        assert sorted(answer.status_code for answer in answers) == [201] * 20 + [403] * 44
        refused = ErrorBody.model_validate_json(next(a for a in answers if a.status_code == 403).content)
        assert refused.error == "quota_exceeded"
        assert refused.model_extra == {"limit": 20, "used": 20}
        assert len(await listed(acme)) == 20
        await acme.delete(next(a for a in answers if a.status_code == 201).headers["location"])
        await stored(acme)


async def test_usage_tells_what_is_held_and_allowed(acme: httpx.AsyncClient) -> None:
    await stored(acme)
    usage = (await acme.get("/v1/usage")).json()
    assert (usage["memories"], usage["max_memories"], usage["requests_per_minute"]) == (1, 1_000, 100)


@pytest.mark.invariant(1)
async def test_tenants_in_one_process_share_nothing(tmp_path: Path, embedder: InProcessEmbedder) -> None:
    async with serving(tmp_path / "acme", embedder) as acme, serving(tmp_path / "other", embedder) as other:
        path = (await stored(acme, session_id="river")).headers["location"]
        for method, body in (("GET", None), ("PATCH", {"content": "x"}), ("PUT", {"content": "x"}), ("DELETE", None)):
            assert (await other.request(method, path, json=body)).status_code == 404
        assert await listed(other) == []
        search = {"query": "an otter"}
        assert (await other.post("/v1/memories/search", json=search)).json()["results"] == []
        assert len((await acme.post("/v1/memories/search", json=search)).json()["results"]) == 1
        assert (await other.get("/v1/usage")).json()["memories"] == 0


@pytest.mark.parametrize("times", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"])
async def test_the_first_and_last_times_can_be_kept(acme: httpx.AsyncClient, times: str) -> None:
    created = await stored(acme, created_at=times)
    assert (await acme.get(created.headers["location"])).json()["created_at"] == times
    assert len(await listed(acme)) == 1


async def test_a_history_tells_who_changed_what_and_outlives_the_memory(acme: httpx.AsyncClient) -> None:
    stored = (await acme.post("/v1/memories", json={"content": "an otter"}, headers={"x-loci-key-id": "k1"})).json()
    path = f"/v1/memories/{stored['id']}"
    await acme.patch(path, json={"content": "a badger"}, headers={"x-loci-key-id": "k2"})
    await acme.delete(path)
    changes = (await acme.get(f"{path}/history")).json()["changes"]
    assert [(change["version"], change["event"], change["key_id"]) for change in changes] == [
        (1, "created", "k1"),
        (2, "updated", "k2"),
        (3, "deleted", None),
    ]
    assert changes[0]["memory"] == stored
    assert changes[1]["memory"]["content"] == "a badger"
    assert changes[2]["memory"] is None
    assert (await acme.get("/v1/memories/mem_unknown/history")).status_code == 404
