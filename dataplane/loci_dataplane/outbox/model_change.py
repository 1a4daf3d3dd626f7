"""Changing a tenant's embedding model without a failed or an empty search.

While the embedder's default model is another one than that of the generation that serves, a new generation is filled
from the rows, a few memories at a time, between the batches of the outbox, whose changes go to both. When a pass over
all rows finds nothing missing, golden queries are asked of both: beginnings of stored memories, which should be found.
If the new generation finds about as many, it serves. The old one stays for a day: to go back, make its model the
default again. A generation that does not agree is not used, and the reason is logged and shown by a metric.

Cost: each memory is embedded once more, at low priority. Failure modes: without the old model at the embedder, searches
by vector are degraded until the change is complete; a crash loses nothing, since what is held is looked up.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final

import structlog

from loci_dataplane.model import filter as language
from loci_dataplane.model.memory import Memory
from loci_dataplane.outbox.vector_index import VectorIndex
from loci_dataplane.stores.embedding import Embedder, Purpose
from loci_dataplane.stores.errors import EmbedderUnavailableError
from loci_dataplane.stores.generations import Generation
from loci_dataplane.stores.ports import Stores

KEPT: Final = timedelta(days=1)
"""How long the previous generation stays."""
_GOLDEN: Final = 40
_GOLDEN_WORDS: Final = 8
_DEPTH: Final = 10
_TOLERANCE: Final = 0.1
"""Share of golden queries that the new generation may find less than the old one."""
_ALONE: Final = 0.6
"""Share that it must find when the old model is no longer served."""


class ModelChange:
    """Moves a tenant to the embedder's default model."""

    def __init__(self, stores: Stores, embedder: Embedder, index: VectorIndex, now: Callable[[], datetime]) -> None:
        self._stores = stores
        self._embedder = embedder
        self._index = index
        self._now = now
        self._after: int | None = None
        self._filled = False
        self._refused: str | None = None
        self._under_way = False
        self._log = structlog.get_logger()

    async def step(self, limit: int) -> bool:
        """Do a part of what is to be done, on at most `limit` memories; return false if there was nothing to do."""
        generations = self._stores.vectors
        wanted = (await self._embedder.model()).name
        serving = await generations.adopt(wanted)
        self._under_way = serving.model != wanted
        if not self._under_way:
            await self._tidy()
            return False
        if not generations.has_room or self._refused == wanted:
            return False
        building = await generations.build(wanted)
        page = await self._stores.records.page(language.EVERYTHING, self._after, limit, self._now())
        if page:
            await self._fill(building, page)
        else:
            await self._end_of_pass(serving, building)
        return True

    async def progress(self) -> float:
        """Return the share of memories that the generation to serve next holds; 1 without a change under way."""
        building = self._stores.vectors.building
        if building is None:
            return 0.0 if self._under_way else 1.0
        return min(1.0, await building.vectors.count() / max(1, await self._stores.records.count()))

    async def _fill(self, building: Generation, page: Sequence[Memory]) -> None:
        held = set(await building.vectors.held([memory.id for memory in page]))
        if missing := [memory for memory in page if memory.id not in held]:
            await self._index.fill(building, missing)
            self._filled = True
        self._after = page[-1].order

    async def _end_of_pass(self, serving: Generation, building: Generation) -> None:
        self._after = None
        if self._filled:
            self._filled = False  # rows may have changed behind this pass
            return
        found, before = await self._found(building), await self._found(serving)
        enough = _ALONE if before is None else before - _TOLERANCE
        if found is None or found < enough:
            self._refused = building.model
            self._log.error("model not changed: golden queries disagree", model=building.model, found=found)
            await self._stores.vectors.abandon()
            return
        await self._stores.vectors.switch(self._now())
        self._under_way = False
        self._log.info("model changed", model=building.model, found=found, before=before)

    async def _found(self, generation: Generation) -> float | None:
        """Return the share of golden queries whose memory is found; None without the model."""
        memories = await self._stores.records.page(language.EVERYTHING, None, _GOLDEN, self._now(), descending=True)
        if not memories:
            return 1.0
        queries = [" ".join(memory.content.split()[:_GOLDEN_WORDS])[:500] for memory in memories]
        embedder = self._embedder.of(generation.model)
        try:
            vectors = await embedder.embed(queries, Purpose.QUERY, interactive=False)
        except EmbedderUnavailableError:
            return None
        found = 0
        for memory, vector in zip(memories, vectors, strict=True):
            hits = await generation.vectors.search(vector, _DEPTH, None)
            found += memory.id in {hit.memory_id for hit in hits}
        return found / len(memories)

    async def _tidy(self) -> None:
        """Stop a change that is no longer wanted; remove the previous generation after its time."""
        generations = self._stores.vectors
        self._refused = None
        if generations.building:
            await generations.abandon()
        if generations.switched_at and self._now() - generations.switched_at > KEPT:
            await generations.retire()
