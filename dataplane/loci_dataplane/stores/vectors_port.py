"""The port of a vector index."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from loci_dataplane.model.erasure import Purge
from loci_dataplane.stores.outbox_ports import Index

Vector = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Hit:
    """A memory that a retriever found, and its score there: higher is better."""

    memory_id: str
    score: float


class Vectors(Index, Protocol):
    """The vector index. A memory has one or more vectors, one for each part of its content."""

    async def replace(self, parts: Mapping[str, Vector]) -> None:
        """Set all vectors of some memories, each of shape (parts, dimension) with at least one part."""

    async def delete(self, ids: Sequence[str]) -> None:
        """Delete all vectors of some memories; unknown ids are ignored."""

    async def search(self, vector: Vector, limit: int, among: Sequence[str] | None) -> Sequence[Hit]:
        """Return the nearest memories, each once with the cosine similarity of its best part, best first.

        Args:
            vector: unit vector of shape (dimension,).
            limit: maximum number of memories.
            among: consider only these memories, however many they are.
        """

    async def count(self) -> int:
        """Return the number of memories that have vectors."""

    async def check(self) -> None:
        """Raise StoreError unless the index can be read and, if its last write failed, is thought writable again."""

    async def purge(self, ids: Sequence[str]) -> Purge:
        """Remove from the files what deletion leaves there; look for the ids of deleted memories."""
