"""The ports of histories and erasures, beside those in `ports`; they are views of the same system of record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final, Protocol

from loci_dataplane.model.erasure import Batch, Erasure, Purge
from loci_dataplane.model.filter import Filter
from loci_dataplane.model.history import Change

HISTORY_VERSIONS: Final = 100
"""Versions kept of one memory."""
HISTORY_KEPT: Final = timedelta(days=30)
"""How long the history of a deleted memory is kept."""


class History(Protocol):
    """Versions of memories. A transaction adds them; a deleted memory's are kept for `HISTORY_KEPT`."""

    async def versions(self, memory_id: str) -> Sequence[Change]:
        """Return at most the last `HISTORY_VERSIONS` versions of a memory, oldest first; none for an unknown id."""

    async def deleted(self, after: str, limit: int) -> Sequence[str]:
        """Return ids that have a history and no memory, in their order, from the first beyond `after`."""


class Erasures(Protocol):
    """Removal of content from the system of record, and the receipts of it."""

    async def begin(self, erasure: Erasure) -> None:
        """Record a request, so that it is carried out even after a crash."""

    async def get(self, erasure_id: str) -> Erasure | None:
        """Return an erasure."""

    async def pending(self) -> Erasure | None:
        """Return the oldest erasure that is not complete."""

    async def erase(self, erasure_id: str, where: Filter, limit: int) -> Batch:
        """Remove some memories that match, live or expired, with their versions, replies and full text.

        Also removes deleted memories of which a version matches, and matching earlier versions of other memories. One
        transaction; call it until the batch is empty.
        """

    async def remaining(self, where: Filter, ids: Sequence[str]) -> Mapping[str, int]:
        """Count what is left by table: rows that match or belong to the ids, and outbox entries of the ids."""

    async def purge(self, contents: Sequence[str]) -> Purge:
        """Remove from the files what deletion leaves there; look for fragments of contents that no row has."""

    async def complete(self, erasure_id: str, receipt: Mapping[str, Any]) -> None:
        """Seal the receipt with the next number of the chain, and forget the request and the ids.

        Does nothing when the erasure is complete: several pods may carry it out.
        """
