"""Bring the vectors in line with the rows, in every generation that is searched or will be."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Final

import numpy as np
import structlog

from loci_dataplane.model.memory import Memory
from loci_dataplane.outbox.passages import passages
from loci_dataplane.stores.embedding import Embedder, Purpose
from loci_dataplane.stores.errors import EmbedderUnavailableError
from loci_dataplane.stores.generations import Generation, Generations
from loci_dataplane.stores.ports import Vector

_TEXTS_AT_ONCE: Final = 64
"""Parts of contents in one call of the embedder, which has a deadline and takes at most 256 texts."""


class VectorIndex:
    """Writes a tenant's vectors."""

    def __init__(self, generations: Generations, embedder: Embedder) -> None:
        self._generations = generations
        self._embedder = embedder
        self._log = structlog.get_logger()

    async def replace(self, memories: Sequence[Memory]) -> None:
        """Replace the vectors of some memories.

        A generation that is being built never fails a write: the memories are left out there, to be added later.
        """
        serving = self._generations.serving or await self._generations.adopt((await self._embedder.model()).name)
        await self._generations.replace(await self._embedded(memories, serving.model))
        if building := self._generations.building:
            try:
                await self.fill(building, memories)
            except EmbedderUnavailableError as error:
                self._log.warning("left out of the next generation", reason=str(error), memories=len(memories))
                await building.vectors.delete([memory.id for memory in memories])

    async def fill(self, generation: Generation, memories: Sequence[Memory]) -> None:
        """Set the vectors of some memories in one generation."""
        await generation.vectors.replace(await self._embedded(memories, generation.model))

    async def _embedded(self, memories: Sequence[Memory], model: str) -> dict[str, Vector]:
        """Return each memory's vectors by a model, of shape (parts, dimension)."""
        embedder = self._embedder.of(model)
        contents = [passages(memory) for memory in memories]
        texts = list(itertools.chain.from_iterable(contents))
        calls = [texts[start : start + _TEXTS_AT_ONCE] for start in range(0, len(texts), _TEXTS_AT_ONCE)]
        made = [await embedder.embed(call, Purpose.PASSAGE, interactive=False) for call in calls]
        ends = np.cumsum([len(some) for some in contents])[:-1]
        return dict(zip((memory.id for memory in memories), np.split(np.concatenate(made), ends), strict=True))
