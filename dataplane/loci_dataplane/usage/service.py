"""The tenant's usage against its limits."""

from __future__ import annotations

from collections.abc import Callable

from pydantic import BaseModel, Field

from loci_contract.registry import Limits
from loci_dataplane.model.graph import GraphSize
from loci_dataplane.stores.errors import StoreError
from loci_dataplane.stores.ports import Stores


class Usage(BaseModel):
    """Used and allowed."""

    memories: int
    max_memories: int
    graph_nodes: int | None = Field(description="Memories and entities in the graph; null while it is unavailable.")
    graph_left_out: int | None = Field(description="Memories that are not in the graph for lack of room.")
    max_graph_nodes: int
    requests_per_minute: int
    pending: int = Field(description="Memories whose indexing is not complete, dead letters included.")
    dead_letters: int = Field(
        description="Memories, or deleted ones, that could not be indexed in several attempts. They are tried again "
        "every hour, when a store comes back, when the service starts and when they change."
    )


class UsageService:
    """Reports usage."""

    def __init__(self, stores: Stores, limits: Callable[[], Limits]) -> None:
        self._stores = stores
        self._limits = limits

    async def report(self) -> Usage:
        """Return the present usage and limits."""
        limits, graph = self._limits(), await self._size()
        return Usage(
            memories=await self._stores.records.count(),
            max_memories=limits.max_memories,
            graph_nodes=graph.nodes if graph else None,
            graph_left_out=graph.left_out if graph else None,
            max_graph_nodes=limits.max_graph_nodes,
            requests_per_minute=limits.requests_per_minute,
            pending=await self._stores.outbox.pending(),
            dead_letters=await self._stores.outbox.dead(),
        )

    async def _size(self) -> GraphSize | None:
        try:
            return await self._stores.graph.size()
        except StoreError:
            return None
