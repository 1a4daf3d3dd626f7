"""A tenant moves to another embedding model under load: no search fails, none is empty, no vectors are mixed."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import httpx
import numpy as np
import pytest

from loci_dataplane.model import filter as language
from loci_dataplane.outbox.model_change import KEPT, ModelChange
from loci_dataplane.outbox.passages import passages
from loci_dataplane.outbox.vector_index import VectorIndex
from loci_dataplane.search import service
from loci_dataplane.stores.embedded import embedded_stores
from loci_dataplane.stores.embedding import Embedder, EmbeddingModel, Purpose
from loci_dataplane.stores.ports import Stores, Vector
from loci_dev.rigs.dataplane import indexed, serving
from loci_standalone.embedder import InProcessEmbedder

OLD, NEW = "all-MiniLM-L6-v2-int8", "multilingual-e5-small-int8"
NOW = datetime.now(UTC)
NOTES = [
    f"{who} {did} {things}."
    for who in ("Ada", "Bob", "Grace")
    for did in ("bought", "lost", "repaired")
    for things in ("a bicycle", "the old piano", "a camera", "a passport")
]


class Counting:
    """An embedder that counts the passages it embeds."""

    def __init__(self, embedder: InProcessEmbedder) -> None:
        self._embedder = embedder
        self.passages: list[str] = []

    async def model(self) -> EmbeddingModel:
        return await self._embedder.model()

    def of(self, model: str) -> Embedder:
        return self if model == self._embedder._name else self._embedder.of(model)

    async def embed(self, texts: Sequence[str], purpose: Purpose, *, interactive: bool) -> Vector:
        self.passages += texts if purpose is Purpose.PASSAGE else []
        return await self._embedder.embed(texts, purpose, interactive=interactive)


class Noise(Counting):
    """A model whose vectors have nothing to do with the texts."""

    async def model(self) -> EmbeddingModel:
        return EmbeddingModel("noise", 0.5, 0.1)

    def of(self, model: str) -> Embedder:
        return self if model == "noise" else self._embedder.of(model)

    async def embed(self, texts: Sequence[str], purpose: Purpose, *, interactive: bool) -> Vector:
        assert not interactive
        made = np.random.default_rng(len(texts) + len(purpose)).normal(size=(len(texts), 384)).astype(np.float32)
        unit: Vector = made / np.linalg.norm(made, axis=1, keepdims=True)
        return unit


@pytest.fixture
async def folder(tmp_path: Path, embedder: InProcessEmbedder) -> Path:
    """A tenant whose vectors are of the old model."""
    async with serving(tmp_path / "acme", embedder.of(OLD)) as client:
        for note in NOTES:
            (await client.post("/v1/memories", json={"content": note})).raise_for_status()
        await indexed(client)
    return tmp_path / "acme"


def model_in_service(folder: Path) -> str:
    record = json.loads((folder / "chroma" / "generations.json").read_text())
    return str(record["serving"]["model"])


@contextlib.asynccontextmanager
async def changing(
    folder: Path, embedder: Embedder, now: datetime = NOW
) -> AsyncIterator[tuple[Stores, ModelChange, VectorIndex]]:
    async with embedded_stores(folder) as stores:
        index = VectorIndex(stores.vectors, embedder)
        yield stores, ModelChange(stores, embedder, index, lambda: now), index


async def all_of(stores: Stores, embedder: InProcessEmbedder, model: str) -> None:
    """Every memory has the vector that this model gives it, in the generation that serves."""
    serving = stores.vectors.serving
    assert serving is not None
    assert serving.model == model
    rows = await stores.records.page(language.EVERYTHING, None, 1_000, NOW)
    assert await serving.vectors.count() == len(rows)
    for memory in rows:
        made = await embedder.of(model).embed(passages(memory), Purpose.PASSAGE, interactive=False)
        assert (await serving.vectors.search(made[0], 1, [memory.id]))[0].score == pytest.approx(1, abs=1e-4)


async def test_no_search_fails_or_is_empty_while_the_model_changes(
    folder: Path, embedder: InProcessEmbedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "_DEADLINE", 60.0)  # a busy machine may make any search late
    searches: list[tuple[int, int, list[str]]] = []

    async def search(client: httpx.AsyncClient, stop: asyncio.Event) -> None:
        for number in range(100_000):
            wanted = {"query": f"Who repaired a camera? {number}", "mode": "vector", "limit": 3}
            answer = await client.post("/v1/memories/search", json=wanted)
            searches.append((answer.status_code, len(answer.json()["results"]), answer.json()["degraded"]))
            if stop.is_set():
                return

    async def write(client: httpx.AsyncClient, stop: asyncio.Event) -> None:
        for number in range(100_000):
            answer = await client.post("/v1/memories", json={"content": f"Note {number} on otters."})
            if number % 2:
                await client.delete(f"/v1/memories/{answer.json()['id']}")
            if stop.is_set():
                return

    async with serving(folder, embedder.of(NEW)) as client, asyncio.timeout(120):
        stop = asyncio.Event()
        load = [asyncio.create_task(task) for task in (search(client, stop), search(client, stop), write(client, stop))]
        while model_in_service(folder) == OLD:  # noqa: ASYNC110 - the record tells
            await asyncio.sleep(0.05)
        stop.set()
        await asyncio.gather(*load)
        await indexed(client)
    assert len(searches) > 4
    assert {(status, results, tuple(degraded)) for status, results, degraded in searches} == {(200, 3, ())}
    async with embedded_stores(folder) as stores:
        await all_of(stores, embedder, NEW)


async def test_a_crash_loses_nothing_of_what_was_embedded(folder: Path, embedder: InProcessEmbedder) -> None:
    first, second = Counting(embedder.of(NEW)), Counting(embedder.of(NEW))
    async with changing(folder, first) as (_, change, _):
        for _ in range(3):
            assert await change.step(4)
        assert await change.progress() == pytest.approx(12 / len(NOTES))
    async with changing(folder, second) as (stores, change, _):
        while await change.step(4):
            pass
        await all_of(stores, embedder, NEW)
    assert len(first.passages) == 12
    assert len(second.passages) == len(NOTES) - 12


async def test_what_changes_meanwhile_changes_in_both_generations(folder: Path, embedder: InProcessEmbedder) -> None:
    async with changing(folder, embedder.of(NEW)) as (stores, change, index):
        assert await change.step(10)
        rows = await stores.records.page(language.EVERYTHING, None, 2, NOW)
        changed = replace(rows[0], content="Ada sold a boat.", version=rows[0].version + 1)
        async with stores.transaction() as transaction:
            await transaction.replace(changed)
            await transaction.delete([rows[1].id])
        await index.replace([changed])
        await stores.vectors.delete([rows[1].id])
        while await change.step(10):
            pass
        await all_of(stores, embedder, NEW)


async def test_a_model_that_finds_less_is_not_used(folder: Path, embedder: InProcessEmbedder) -> None:
    async with changing(folder, Noise(embedder)) as (stores, change, _):
        while await change.step(10):
            pass
        assert await change.progress() == 0
        assert stores.vectors.building is None
        await all_of(stores, embedder, OLD)


async def test_going_back_embeds_only_what_changed_since(folder: Path, embedder: InProcessEmbedder) -> None:
    back = Counting(embedder.of(OLD))
    async with changing(folder, embedder.of(NEW)) as (stores, change, index):
        while await change.step(50):
            pass
        rows = await stores.records.page(language.EVERYTHING, None, 1, NOW)
        changed = replace(rows[0], content="Ada sold a boat.", version=rows[0].version + 1)
        async with stores.transaction() as transaction:
            await transaction.replace(changed)
        await index.replace([changed])
    async with changing(folder, back) as (stores, change, _):
        while await change.step(50):
            pass
        await all_of(stores, embedder, OLD)
    assert back.passages == ["Ada sold a boat."]


async def test_the_previous_generation_goes_after_its_time(folder: Path, embedder: InProcessEmbedder) -> None:
    async with changing(folder, embedder.of(NEW)) as (stores, change, _):
        while await change.step(50):
            pass
        assert stores.vectors.switched_at == NOW
    for now, kept in ((NOW + KEPT, NOW), (NOW + 1.1 * KEPT, None)):
        async with changing(folder, embedder.of(NEW), now) as (stores, change, _):
            assert not await change.step(50)
            assert stores.vectors.switched_at == kept
    assert len([path for path in (folder / "chroma").iterdir() if path.is_dir()]) == 1


async def test_vectors_from_before_there_was_a_record_are_of_the_model_of_then(
    folder: Path, embedder: InProcessEmbedder
) -> None:
    (folder / "chroma" / "generations.json").unlink()
    async with changing(folder, embedder.of(NEW)) as (stores, change, _):
        await all_of(stores, embedder, OLD)
        while await change.step(50):
            pass
        await all_of(stores, embedder, NEW)
