"""What every adapter of Vectors does."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from loci_dataplane.stores.ports import Vector, Vectors

EAST, NORTH, UP = np.eye(3, dtype=np.float32)


def stack(*vectors: Vector) -> Vector:
    return np.stack(vectors).astype(np.float32)


def unit(east: float, north: float) -> Vector:
    vector = np.array([east, north, 0], dtype=np.float32)
    return np.asarray(vector / np.linalg.norm(vector), dtype=np.float32)


async def found(vectors: Vectors, vector: Vector, limit: int = 10, among: Sequence[str] | None = None) -> list[str]:
    return [hit.memory_id for hit in await vectors.search(vector, limit, among)]


async def test_scores_are_cosine_similarities_best_first(vectors: Vectors) -> None:
    await vectors.replace({"mem_1": stack(EAST), "mem_2": stack(NORTH), "mem_3": stack(-EAST)})
    hits = await vectors.search(unit(3, 4), 10, None)
    assert [hit.memory_id for hit in hits] == ["mem_2", "mem_1", "mem_3"]
    assert [hit.score for hit in hits] == pytest.approx([0.8, 0.6, -0.6], abs=1e-5)
    assert await found(vectors, EAST, limit=2) == ["mem_1", "mem_2"]


async def test_an_empty_index_finds_nothing(vectors: Vectors) -> None:
    assert await vectors.count() == 0
    assert await found(vectors, EAST) == await found(vectors, EAST, among=["mem_1"]) == []
    await vectors.delete(["mem_1"])
    await vectors.delete([])
    await vectors.replace({})
    await vectors.check()


async def test_writes_can_be_repeated(vectors: Vectors) -> None:
    for _ in range(2):
        await vectors.replace({"mem_1": stack(EAST, UP), "mem_2": stack(NORTH)})
        assert await vectors.count() == 2
    for _ in range(2):
        await vectors.delete(["mem_2", "mem_unknown"])
        assert await found(vectors, NORTH) == ["mem_1"]


async def test_a_memory_comes_once_with_its_best_part(vectors: Vectors) -> None:
    await vectors.replace({"mem_1": stack(EAST, unit(3, 4), NORTH), "mem_2": stack(unit(1, 1))})
    hits = await vectors.search(NORTH, 10, None)
    assert [hit.memory_id for hit in hits] == ["mem_1", "mem_2"]
    assert hits[0].score == pytest.approx(1.0, abs=1e-5)
    assert await vectors.count() == 2


async def test_many_parts_of_one_memory_push_out_no_other(vectors: Vectors) -> None:
    near = stack(*(unit(1, 0.001 * number) for number in range(60)))
    await vectors.replace({"mem_long": near, "mem_2": stack(unit(1, 1)), "mem_3": stack(NORTH)})
    assert await found(vectors, EAST, limit=3) == ["mem_long", "mem_2", "mem_3"]
    assert await found(vectors, EAST, limit=2, among=["mem_long", "mem_3"]) == ["mem_long", "mem_3"]
    assert await found(vectors, EAST, limit=1) == ["mem_long"]


@pytest.mark.parametrize(("before", "after"), [(3, 1), (1, 3), (4, 2), (2, 2)])
async def test_a_replaced_memory_keeps_none_of_its_earlier_parts(vectors: Vectors, before: int, after: int) -> None:
    await vectors.replace({"mem_1": stack(*[EAST] * before), "mem_2": stack(UP)})
    await vectors.replace({"mem_1": stack(*[NORTH] * after)})
    for among in (None, ["mem_1", "mem_2"]):
        (score,) = [hit.score for hit in await vectors.search(EAST, 10, among) if hit.memory_id == "mem_1"]
        assert score == pytest.approx(0.0, abs=1e-5)
    assert await vectors.count() == 2


async def test_a_deleted_memory_keeps_no_part(vectors: Vectors) -> None:
    await vectors.replace({"mem_1": stack(EAST, NORTH, UP), "mem_2": stack(EAST)})
    await vectors.delete(["mem_1"])
    assert await vectors.count() == 1
    for vector in (EAST, NORTH, UP):
        assert await found(vectors, vector) == ["mem_2"]


async def test_a_search_among_some_considers_no_other(vectors: Vectors) -> None:
    await vectors.replace({f"mem_{number}": stack(unit(1, number)) for number in range(20)})
    await vectors.replace({"mem_parts": stack(NORTH, EAST)})
    assert await found(vectors, EAST, 2, ["mem_19", "mem_7", "mem_8"]) == ["mem_7", "mem_8"]
    assert await found(vectors, EAST, 2, ["mem_7", "mem_parts"]) == ["mem_parts", "mem_7"]
    assert await found(vectors, EAST, 2, []) == []


async def test_a_search_among_memories_that_are_not_indexed_yet_finds_the_others(vectors: Vectors) -> None:
    await vectors.replace({"mem_1": stack(EAST)})
    assert await found(vectors, EAST, 10, ["mem_waiting", "mem_1"]) == ["mem_1"]
    assert await found(vectors, EAST, 10, ["mem_waiting"]) == []


async def test_a_search_may_be_among_more_memories_than_a_statement_has_parameters(vectors: Vectors) -> None:
    await vectors.replace({"mem_1": stack(NORTH), "mem_2": stack(UP, EAST)})
    among = ["mem_1", *(f"mem_x{number}" for number in range(70_000)), "mem_2"]
    assert await found(vectors, EAST, 10, among) == ["mem_2", "mem_1"]


async def test_many_memories_with_many_parts_are_written_at_once(vectors: Vectors) -> None:
    generator = np.random.default_rng(7)
    made = generator.normal(size=(64, 40, 3)).astype(np.float32)
    made /= np.linalg.norm(made, axis=2, keepdims=True)
    await vectors.replace({f"mem_{number}": made[number] for number in range(64)})
    assert await vectors.count() == 64
    best = int(np.argmax((made @ EAST).max(axis=1)))
    assert await found(vectors, EAST, 1, [f"mem_{number}" for number in range(64)]) == [f"mem_{best}"]
    await vectors.delete([f"mem_{number}" for number in range(64)])
    assert await vectors.count() == 0
