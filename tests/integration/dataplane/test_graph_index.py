"""The graph follows the memories: what is written, changed and deleted over HTTP."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import httpx

from loci_dataplane.stores.embedded import embedded_stores
from loci_dev.rigs.dataplane import indexed, serving
from loci_standalone.embedder import InProcessEmbedder


async def usage(client: httpx.AsyncClient) -> dict[str, Any]:
    await indexed(client)
    found: dict[str, Any] = (await client.get("/v1/usage")).json()
    return found


async def add(client: httpx.AsyncClient, content: str, **fields: object) -> str:
    answer = await client.post("/v1/memories", json={"content": content, **fields})
    assert answer.status_code == 201
    identity: str = answer.json()["id"]
    return identity


async def test_nodes_come_and_go_with_memories(acme: httpx.AsyncClient) -> None:
    first = await add(acme, "Ada lives in Porto")
    await add(acme, "Ada likes tea")
    assert (await usage(acme))["graph_nodes"] == 5
    await acme.patch(f"/v1/memories/{first}", json={"content": "nothing to see"})
    assert (await usage(acme))["graph_nodes"] == 4
    await acme.delete(f"/v1/memories/{first}")
    assert (await usage(acme))["graph_nodes"] == 3


async def test_a_graph_over_its_quota_keeps_the_memory_and_counts_it(
    tmp_path: Path, embedder: InProcessEmbedder
) -> None:
    async with serving(tmp_path / "acme", embedder, max_graph_nodes=3) as client:
        await add(client, "Ada lives in Porto")
        late = await add(client, "Bob lives in Oslo")
        found = await usage(client)
        assert (found["memories"], found["graph_nodes"], found["graph_left_out"]) == (2, 3, 1)
        assert (await client.get(f"/v1/memories/{late}")).status_code == 200
        hits = (await client.post("/v1/memories/search", json={"query": "Oslo"})).json()["results"]
        assert hits[0]["id"] == late


async def test_memories_that_the_graph_lost_get_into_it_again(tmp_path: Path, embedder: InProcessEmbedder) -> None:
    async with serving(tmp_path / "acme", embedder) as client:
        await add(client, "Ada lives in Porto")
        await indexed(client)
    async with embedded_stores(tmp_path / "acme") as stores:
        memories = await stores.graph.mentioning({e.ref: 1.0 for e in await stores.graph.named(["ada"], None)}, 10)
        await stores.graph.update([], [hit.memory_id for hit in memories], 10)
    async with serving(tmp_path / "acme", embedder) as client, asyncio.timeout(30):
        while (await usage(client))["graph_nodes"] != 3:  # noqa: ASYNC110 - only HTTP tells
            await asyncio.sleep(0.02)
