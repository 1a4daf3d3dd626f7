"""Compare the indexes with the rows, both ways, and enqueue what differs.

A row that an index lacks is indexed again, and what an index has of a memory without a row is removed: both by an
outbox entry, which the indexer handles like any other. Memories that have an entry already are expected to differ and
do not count; the outbox is read before the index, since an entry goes only after its index was written.

A pass reads ids only, in pages, and costs about 10 ms for each 1,000 memories of an index; it runs at the
start, after an outage of a store, and every few hours. An index that cannot be read is left out until the next pass.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Final

import structlog

from loci_dataplane.stores.errors import StoreError
from loci_dataplane.stores.outbox_ports import Index
from loci_dataplane.stores.ports import Stores

_PAGE: Final = 1_000
_INTERVAL_SECONDS: Final = 6 * 3600.0
_RETRY_SECONDS: Final = 60.0


class Reconciler:
    """Finds rows without vectors or graph, and vectors and graph without rows.

    Args:
        stores: the tenant's stores.
        enqueued: called when entries were added to the outbox.
        tenant: for the log.
    """

    def __init__(self, stores: Stores, enqueued: Callable[[], None], tenant: str) -> None:
        self._stores = stores
        self._indexes: Mapping[str, Index] = {"vectors": stores.vectors, "graph": stores.graph}
        self._enqueued = enqueued
        self._wake = asyncio.Event()
        self._log = structlog.get_logger().bind(tenant_id=tenant)
        self.drift: dict[str, int] = {}
        """For each index, how many memories the last pass found out of line."""

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Compare from time to time for the length of the block."""
        task = asyncio.create_task(self._run())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def wake(self) -> None:
        """Compare soon: an index may have lost something."""
        self._wake.set()

    async def compare(self) -> bool:
        """Make one pass; return whether every index could be read."""
        done = [await self._compared(name, index) for name, index in self._indexes.items()]
        return all(done)

    async def _run(self) -> None:
        while True:
            self._wake.clear()
            seconds = _INTERVAL_SECONDS if await self.compare() else _RETRY_SECONDS
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), seconds * random.uniform(0.75, 1.25))  # noqa: S311 - jitter

    async def _compared(self, name: str, index: Index) -> bool:
        try:
            missing, orphaned = await self._missing(index), await self._orphaned(index)
        except Exception as error:  # noqa: BLE001 - the edge of a task that must outlive any failure of a store
            reason = str(error) if isinstance(error, StoreError) else type(error).__name__
            self._log.warning("index cannot be compared with the rows", index=name, reason=reason)
            return False
        self.drift[name] = missing + orphaned
        if missing or orphaned:
            self._log.warning("index differs from the rows", index=name, missing=missing, orphaned=orphaned)
            self._enqueued()
        return True

    async def _missing(self, index: Index) -> int:
        """Enqueue the memories that an index lacks; return how many."""
        number, after = 0, ""
        while ids := await self._stores.records.ids(after, _PAGE):
            expected = await self._without_entry(ids)
            held = set(await index.held(expected))
            lacking = [memory_id for memory_id in expected if memory_id not in held]
            # A row may have been deleted since the ids were read, and its entry be done already.
            number += await self._enqueue(await self._stores.records.existing(lacking) if lacking else ())
            after = ids[-1]
        return number

    async def _orphaned(self, index: Index) -> int:
        """Enqueue what an index has without a row; return how many memories."""
        number, after = 0, ""
        while True:
            ids, after = await index.listed(after, _PAGE)
            existing = set(await self._stores.records.existing(ids))
            orphans = await self._without_entry([memory_id for memory_id in ids if memory_id not in existing])
            number += await self._enqueue(await index.held(orphans) if orphans else ())
            if not after:
                return number

    async def _without_entry(self, ids: Sequence[str]) -> Sequence[str]:
        waiting = set(await self._stores.outbox.enqueued(ids)) if ids else ()
        return [memory_id for memory_id in ids if memory_id not in waiting]

    async def _enqueue(self, ids: Sequence[str]) -> int:
        return await self._stores.outbox.enqueue(ids) if ids else 0
