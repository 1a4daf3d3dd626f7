"""Erasure of a user: nothing of the content is found afterwards, through the API or in the files on disk."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest

from loci_contract.receipts import problems
from loci_dev.rigs.dataplane import indexed, serving
from loci_standalone.embedder import InProcessEmbedder

SECRETS = ("xylophone quarrel", "zeppelin marmalade", "ada@example.org", "saxifrage")
RARE = ("xylophon", "zeppelin", "marmalad")
"""Terms as the full text has them."""


async def complete(client: httpx.AsyncClient, erasure_id: str) -> dict[str, Any]:
    async with asyncio.timeout(60):
        while True:
            answer = (await client.get(f"/v1/erasures/{erasure_id}")).json()
            if answer["status"] == "complete":
                return dict(answer)
            await asyncio.sleep(0.05)


async def erase(client: httpx.AsyncClient, body: dict[str, Any]) -> dict[str, Any]:
    answer = await client.post("/v1/erasures", json=body)
    assert answer.status_code == 202, answer.text
    return await complete(client, answer.json()["id"])


async def fill(client: httpx.AsyncClient) -> list[str]:
    """Store, change and delete what is to be erased, among much else; return the ids."""
    others = [{"content": f"An otter number {n} swims.", "user_id": "bob"} for n in range(250)]
    await client.post("/v1/memories/batch", json={"memories": others})
    ada = {"user_id": SECRETS[2], "metadata": {"note": SECRETS[3]}}
    long = f"{SECRETS[0]} " + "Ada likes rivers. " * 1_000 + SECRETS[1]
    bodies = [{"content": SECRETS[0], **ada}, {"content": long, **ada}, {"content": SECRETS[1], **ada}]
    stored = [
        (await client.post("/v1/memories", json=body, headers={"Idempotency-Key": f"{n}"})).json()["id"]
        for n, body in enumerate(bodies)
    ]
    await client.patch(f"/v1/memories/{stored[0]}", json={"content": f"{SECRETS[0]} again"})
    await client.delete(f"/v1/memories/{stored[2]}")
    await client.post("/v1/memories/search", json={"query": SECRETS[0]})
    await indexed(client)
    return stored


def holding(folder: Path, *texts: str) -> dict[str, list[str]]:
    """The files in which each text is found."""
    contents = {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    found = {text: [name for name, content in contents.items() if text.encode() in content] for text in texts}
    return {text: names for text, names in found.items() if names}


async def test_nothing_of_an_erased_user_is_left_in_any_file(tmp_path: Path, embedder: InProcessEmbedder) -> None:
    folder = tmp_path / "acme"
    async with serving(folder, embedder) as client:
        ids = await fill(client)
        assert holding(folder, *SECRETS).keys() == set(SECRETS), "the test would see it"
        answer = await erase(client, {"user_id": SECRETS[2]})
        assert holding(folder, *SECRETS, *RARE, *ids) == {}
        assert answer["removed"]["memories"] == 2
        assert answer["removed"]["versions"] >= 5
        for memory_id in ids:
            assert (await client.get(f"/v1/memories/{memory_id}")).status_code == 404
            assert (await client.get(f"/v1/memories/{memory_id}/history")).status_code == 404
        found = (await client.post("/v1/memories/search", json={"query": "otter number 7", "limit": 5})).json()
        assert len(found["results"]) == 5
        assert found["degraded"] == []
        for mode in ("vector", "keyword"):
            body = {"query": SECRETS[0], "mode": mode, "limit": 100}
            results = (await client.post("/v1/memories/search", json=body)).json()["results"]
            assert not {result["id"] for result in results} & set(ids)
    assert holding(folder, *SECRETS, *RARE, *ids) == {}
    async with serving(folder, embedder) as client:
        assert (await client.get("/v1/usage")).json()["memories"] == 250
        found = (await client.post("/v1/memories/search", json={"query": "otter", "mode": "vector"})).json()
        assert (len(found["results"]), found["pending"]) == (10, 0)


async def test_a_receipt_tells_each_store_and_how_absence_was_verified(acme: httpx.AsyncClient) -> None:
    await fill(acme)
    first = (await erase(acme, {"user_id": SECRETS[2]}))["receipt"]
    second = (await erase(acme, {"filters": {"user_id": "bob"}}))["receipt"]
    assert list(problems([first, second])) == []
    assert (first["number"], second["number"], second["removed"]["memories"]) == (1, 2, 250)
    records, vectors, caches = first["stores"]
    assert not any(records["read_back"].values())
    assert {"memories", "versions", "replies", "outbox", "full text", "graph"} <= records["read_back"].keys()
    assert vectors["read_back"] == {"vectors": 0}
    assert (records["files"]["found"], vectors["files"]["found"]) == (0, 0)
    assert caches["store"] == "caches"
    assert not any(secret in str(first) for secret in SECRETS)


async def test_an_erasure_that_a_crash_interrupted_is_completed(tmp_path: Path, embedder: InProcessEmbedder) -> None:
    async with serving(tmp_path / "acme", embedder, indexing=False) as client:
        await fill_one(client)
        asked = (await client.post("/v1/erasures", json={"user_id": "ada"})).json()
        assert asked["status"] == "running"
    async with serving(tmp_path / "acme", embedder) as client:
        answer = await complete(client, asked["id"])
        assert answer["removed"]["memories"] == 1
        assert (await client.get("/v1/usage")).json()["memories"] == 0


async def fill_one(client: httpx.AsyncClient) -> None:
    await client.post("/v1/memories", json={"content": "an otter", "user_id": "ada"})


@pytest.mark.parametrize("body", [{}, {"filters": {"OR": [{}]}}, {"user_id": ""}, {"filters": {"colour": 1}}], ids=str)
async def test_an_erasure_that_names_nothing_is_refused(acme: httpx.AsyncClient, body: Any) -> None:
    assert (await acme.post("/v1/erasures", json=body)).status_code == 422
    assert (await acme.get("/v1/erasures/ers_unknown")).status_code == 404
