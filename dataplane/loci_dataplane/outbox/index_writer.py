"""Write what the rows have now into the vectors and the graph.

The two indexes are written side by side: when one of them fails the other is complete, and vectors that were written
are not made again. Every write replaces, so it can be repeated.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from loci_dataplane.model.memory import Memory
from loci_dataplane.outbox.graph_index import GraphIndex
from loci_dataplane.outbox.vector_index import VectorIndex
from loci_dataplane.stores.outbox_ports import OutboxEntry
from loci_dataplane.stores.ports import Stores


class IndexWriter:
    """Brings some memories' vectors and their part of the graph in line with their rows."""

    def __init__(self, stores: Stores, vectors: VectorIndex, graph: GraphIndex, now: Callable[[], datetime]) -> None:
        self._stores = stores
        self._vectors = vectors
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
            await self._vectors.replace(due)
            self._with_vectors |= revisions
        await self._stores.vectors.delete(deleted)
