"""Bring the graph in line with the rows.

What a memory contributes is extracted again whenever its entry is indexed, off the event loop, and replaces what it
contributed before. An extraction that fails, which would be a fault in its rules, contributes nothing: the memory keeps
its place in the graph and in all other indexes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import structlog

from loci_dataplane.model.graph import Extraction
from loci_dataplane.model.memory import Memory
from loci_dataplane.stores.ports import Graph

Extract = Callable[[Memory], Extraction]


class GraphIndex:
    """Writes a tenant's graph.

    Args:
        graph: the graph.
        extract: what a memory contributes; pure, and fast enough for a thread.
        max_nodes: the tenant's quota; asked for with each batch.
    """

    def __init__(self, graph: Graph, extract: Extract, max_nodes: Callable[[], int]) -> None:
        self._graph = graph
        self._extract = extract
        self._max_nodes = max_nodes
        self._log = structlog.get_logger()

    async def replace(self, memories: Sequence[Memory], deleted: Sequence[str]) -> None:
        """Replace what memories contribute, in their order; remove what deleted ones did."""
        ordered = sorted(memories, key=lambda memory: memory.order)
        extractions = await asyncio.to_thread(lambda: [self._extracted(memory) for memory in ordered])
        await self._graph.update(extractions, deleted, self._max_nodes())

    def _extracted(self, memory: Memory) -> Extraction:
        try:
            return self._extract(memory)
        except Exception as error:  # noqa: BLE001 - no fault in a rule may keep a memory from its other indexes
            self._log.error("extraction failed", error=type(error).__name__)
            return Extraction(memory.id, memory.user_id or "", memory.session_id, memory.order)
