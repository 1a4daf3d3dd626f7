"""Export and import."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from loci_dev.rigs.dataplane import indexed, serving
from loci_standalone.embedder import InProcessEmbedder


def lines(answer: httpx.Response) -> list[dict[str, Any]]:
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/x-ndjson"
    return [json.loads(line) for line in answer.text.split("\n") if line]


async def fill(client: httpx.AsyncClient) -> None:
    memories = [
        {"content": f"otter {n}\n\u2028'quoted'", "user_id": "ada", "metadata": {"n": n, "a.b": [None, 1.5]}}
        for n in range(230)
    ]
    await client.post("/v1/memories/batch", json={"memories": memories})
    await client.post("/v1/memories", json={"id": "own", "content": "x", "expires_at": "2999-01-01T00:00:00Z"})
    await client.patch("/v1/memories/own", json={"content": "y"}, headers={"x-loci-key-id": "k1"})
    await client.post("/v1/memories", json={"id": "gone", "content": "z"})
    await client.delete("/v1/memories/gone")


async def test_an_import_of_an_export_makes_the_same_tenant(
    tmp_path: Path, acme: httpx.AsyncClient, embedder: InProcessEmbedder
) -> None:
    await fill(acme)
    exported = await acme.get("/v1/export")
    first, *entries, last = lines(exported)
    assert first["loci_export"] == 1
    assert last == {"end": True, "memories": 231, "deleted": 1}
    assert len(entries) == 232
    async with serving(tmp_path / "other", embedder) as other:
        progress = lines(await other.post("/v1/import", content=exported.content))
        assert progress[-1] == {"lines": 234, "stored": 232, "present": 0, "refused": 0, "done": True}
        assert [line["lines"] for line in progress] == [100, 200, 234]
        assert lines(await other.get("/v1/export"))[1:] == [*entries, last]
        for memory_id in ("own", "gone"):
            path = f"/v1/memories/{memory_id}/history"
            assert (await other.get(path)).json() == (await acme.get(path)).json()
        own = [await client.get("/v1/memories/own") for client in (acme, other)]
        assert (own[0].json(), own[0].headers["etag"]) == (own[1].json(), own[1].headers["etag"])
        await indexed(other)
        found = (await other.post("/v1/memories/search", json={"query": "otter 7", "mode": "vector"})).json()
        assert len(found["results"]) == 10


async def test_an_import_is_resumed_by_sending_it_again(
    tmp_path: Path, acme: httpx.AsyncClient, embedder: InProcessEmbedder
) -> None:
    await fill(acme)
    whole = (await acme.get("/v1/export")).content
    part = b"".join(whole.splitlines(keepends=True)[:120]) + b'{"id": "own", "cha'
    async with serving(tmp_path / "other", embedder) as other:
        broken = lines(await other.post("/v1/import", content=part))
        assert broken[-1] == {"lines": 121, "stored": 119, "present": 0, "refused": 1, "done": True}
        assert broken[-2] == {"line": 121, "message": "The line is not valid JSON."}
        again = lines(await other.post("/v1/import", content=whole))
        assert again[-1] == {"lines": 234, "stored": 113, "present": 119, "refused": 0, "done": True}


STATE = {"content": "x", "created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:00:00Z"}
CHANGE = {"version": 1, "event": "created", "at": "2026-01-01T00:00:00Z", "memory": STATE}


@pytest.mark.parametrize(
    "line",
    [
        1,
        [],
        {},
        {"id": "a b", "changes": [CHANGE]},
        {"id": "a", "changes": []},
        {"id": "a", "changes": [CHANGE, CHANGE]},
        {"id": "a", "changes": [{**CHANGE, "memory": None}]},
        {"id": "a", "changes": [{**CHANGE, "event": "eaten"}]},
        {"id": "a", "changes": [{**CHANGE, "at": 7}]},
        {"id": "a", "changes": [{**CHANGE, "version": 2**70}]},
        {"id": "a", "changes": [{**CHANGE, "memory": {**STATE, "content": ""}}]},
        {"id": "a", "changes": [{**CHANGE, "memory": {**STATE, "metadata": {"a": "\ud800"}}}]},
    ],
    ids=lambda line: repr(line)[-60:],
)
async def test_a_bad_line_is_told_and_stops_no_other(acme: httpx.AsyncClient, line: Any) -> None:
    good = {"id": "good", "changes": [CHANGE]}
    answer = lines(await acme.post("/v1/import", content=f"{json.dumps(line)}\n{json.dumps(good)}\n".encode()))
    assert answer[0]["line"] == 1
    assert answer[-1] == {"lines": 2, "stored": 1, "present": 0, "refused": 1, "done": True}


async def test_an_import_keeps_to_the_quota(tmp_path: Path, embedder: InProcessEmbedder) -> None:
    body = "\n".join(json.dumps({"id": f"m{n}", "changes": [CHANGE]}) for n in range(5))
    async with serving(tmp_path / "acme", embedder, max_memories=3) as client:
        answer = lines(await client.post("/v1/import", content=body.encode()))
        assert answer[-1] == {"lines": 5, "stored": 3, "present": 0, "refused": 2, "done": True}
        assert (await client.get("/v1/usage")).json()["memories"] == 3


async def test_an_empty_tenant_has_an_export_too(acme: httpx.AsyncClient) -> None:
    assert lines(await acme.get("/v1/export"))[1:] == [{"end": True, "memories": 0, "deleted": 0}]
    assert lines(await acme.post("/v1/import", content=b"\n"))[-1]["done"]
