"""Vectors and graphs tell a reconciler which memories they have something of."""

from __future__ import annotations

import numpy as np

from loci_dataplane.model.graph import Extraction
from loci_dataplane.stores.outbox_ports import Index
from loci_dataplane.stores.ports import Graph, Vector, Vectors

MANY = [f"mem_{number:03}" for number in range(25)]


def vector(parts: int) -> Vector:
    return np.tile(np.array([1.0, 0.0, 0.0], dtype=np.float32), (parts, 1))


async def listed(index: Index, page: int) -> list[str]:
    found, after = await index.listed("", page)
    ids = list(found)
    while after:
        found, after = await index.listed(after, page)
        ids += found
    return ids


async def test_memories_with_vectors_are_listed_by_pages_and_looked_up(vectors: Vectors) -> None:
    assert await listed(vectors, 10) == []
    await vectors.replace({memory_id: vector(1 + number % 3) for number, memory_id in enumerate(MANY)})
    await vectors.delete(MANY[5:7])
    for page in (1, 7, 1_000):
        assert set(await listed(vectors, page)) == set(MANY) - set(MANY[5:7])
    assert set(await vectors.held(["gone", MANY[0], MANY[5], MANY[24]])) == {MANY[0], MANY[24]}


async def test_memories_in_the_graph_are_listed_by_pages_and_looked_up(graph: Graph) -> None:
    assert await listed(graph, 10) == []
    await graph.update([Extraction(memory_id, order=n) for n, memory_id in enumerate(MANY)], [], 20)
    await graph.update([], MANY[5:7], 20)
    for page in (1, 7, 1_000):
        assert await listed(graph, page) == sorted(set(MANY) - set(MANY[5:7])), "those left out for lack of room, too"
    assert set(await graph.held(["gone", MANY[0], MANY[5], MANY[24]])) == {MANY[0], MANY[24]}
