"""Write what the rows have now into the vectors and the graph.

The two indexes are written side by side: when one of them fails the other is complete, and vectors that were written
are not made again. Every write replaces, so it can be repeated.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Final

import numpy as np

from loci_dataplane.model.memory import Memory
from loci_dataplane.outbox.graph_index import GraphIndex
from loci_dataplane.outbox.passages import passages
from loci_dataplane.stores.embedding import Embedder, Purpose
from loci_dataplane.stores.outbox_ports import OutboxEntry
from loci_dataplane.stores.ports import Stores, Vector

_TEXTS_AT_ONCE: Final = 64
"""Parts of contents in one call of the embedder, which has a deadline and takes at most 256 texts."""


class IndexWriter:
    """Brings some memories' vectors and their part of the graph in line with their rows."""

    def __init__(self, stores: Stores, embedder: Embedder, graph: GraphIndex, now: Callable[[], datetime]) -> None:
        self._stores = stores
        self._embedder = embedder
        self._graph = graph
        self._now = now
        self._with_vectors: dict[str, int] = {}

    async def write(self, entries: Sequence[OutboxEntry]) -> None:
        """Index the memories of some entries; those without a row lose their vectors and their part of the graph."""
        ids = [entry.memory_id for entry in entries]
        memories = await self._stores.records.get(ids, self._now())
        deleted = [memory_id for memory_id in ids if memory_id not in memories]
        writes = (
            self._write_vectors(entries, memories, deleted),
            self._graph.replace(list(memories.values()), deleted),
        )
        failures = [result for result in await asyncio.gather(*writes, return_exceptions=True) if result is not None]
        if failures:
            raise failures[0]

    def forget(self, entries: Sequence[OutboxEntry]) -> None:
        """Drop what is remembered of entries that will not be tried again."""
        for entry in entries:
            self._with_vectors.pop(entry.memory_id, None)

    async def _write_vectors(
        self, entries: Sequence[OutboxEntry], memories: Mapping[str, Memory], deleted: Sequence[str]
    ) -> None:
        revisions = {entry.memory_id: entry.revision for entry in entries if entry.memory_id in memories}
        due = [memories[i] for i, revision in revisions.items() if self._with_vectors.get(i) != revision]
        if due:
            await self._stores.vectors.replace(await self._embedded(due))
            self._with_vectors |= revisions
        await self._stores.vectors.delete(deleted)

    async def _embedded(self, memories: Sequence[Memory]) -> dict[str, Vector]:
        """Return each memory's vectors, of shape (parts, dimension)."""
        contents = [passages(memory) for memory in memories]
        texts = list(itertools.chain.from_iterable(contents))
        calls = [texts[start : start + _TEXTS_AT_ONCE] for start in range(0, len(texts), _TEXTS_AT_ONCE)]
        made = [await self._embedder.embed(call, Purpose.PASSAGE, interactive=False) for call in calls]
        vectors = np.concatenate(made)
        ends = np.cumsum([len(some) for some in contents])[:-1]
        return dict(zip((memory.id for memory in memories), np.split(vectors, ends), strict=True))
