"""A memory is found by the next search after its 201, or the response says how many have no vector yet."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx

from loci_dataplane.stores.embedding import EmbeddingModel, Purpose
from loci_dataplane.stores.ports import Vector
from loci_dev.rigs.dataplane import indexed, serving
from loci_standalone.embedder import InProcessEmbedder


class Stalled:
    """An embedder that embeds queries at once, and contents when it is released."""

    def __init__(self, embedder: InProcessEmbedder) -> None:
        self._embedder = embedder
        self.released = asyncio.Event()

    async def model(self) -> EmbeddingModel:
        return await self._embedder.model()

    def of(self, model: str) -> Stalled:
        assert model
        return self

    async def embed(self, texts: Sequence[str], purpose: Purpose, *, interactive: bool) -> Vector:
        if not interactive:
            await self.released.wait()
        return await self._embedder.embed(texts, purpose, interactive=interactive)


async def remember(client: httpx.AsyncClient, content: str) -> str:
    return str((await client.post("/v1/memories", json={"content": content})).json()["id"])


async def search(client: httpx.AsyncClient, query: str) -> tuple[set[str], int, list[str]]:
    response = await client.post("/v1/memories/search", json={"query": query, "mode": "vector"})
    found: dict[str, Any] = response.json()
    return {result["id"] for result in found["results"]}, found.get("pending", 0), found["degraded"]


async def test_a_search_tells_how_many_memories_wait_for_their_vectors(
    tmp_path: Path, embedder: InProcessEmbedder
) -> None:
    stalled = Stalled(embedder)
    async with serving(tmp_path / "acme", stalled) as acme:
        stored = {await remember(acme, content) for content in ("an otter swims", "otters sleep")}
        assert await search(acme, "otter") == (set(), 2, [])
        stalled.released.set()
        await indexed(acme)
        assert await search(acme, "otter") == (stored, 0, [])


async def test_every_acknowledged_memory_is_found_or_counted(acme: httpx.AsyncClient) -> None:
    async def write_and_look(number: int) -> bool:
        stored = await remember(acme, f"otter {number}")
        found, pending, _ = await search(acme, f"otter {number}")
        return stored in found or pending > 0

    assert all(await asyncio.gather(*(write_and_look(number) for number in range(40))))


async def test_what_a_long_memory_says_at_its_end_is_found(acme: httpx.AsyncClient) -> None:
    filler = "The quarterly budget was discussed at length by the board. " * 200
    stored = await remember(acme, filler + "Bob is allergic to peanuts and carries an injector.")
    for number in range(20):
        await remember(acme, f"The budget of department {number} was approved.")
    await indexed(acme)
    response = await acme.post(
        "/v1/memories/search", json={"query": "Who has a food allergy?", "mode": "vector", "limit": 1}
    )
    assert [result["id"] for result in response.json()["results"]] == [stored]
