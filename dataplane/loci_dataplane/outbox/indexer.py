"""Bring the vectors and the graph in line with the rows, from the outbox.

Every change of a memory leaves an outbox entry in its transaction. One task per tenant takes entries that are due, in
batches, embeds the contents that the rows have now and replaces the memories' vectors and their part of the graph; a
memory without a row loses both. An entry is removed only after that, and only if no change renewed it meanwhile. Each
step can be repeated, so a crash at any point costs repeated work and nothing else.

Cost, for a batch of up to 32 memories: one embedding call for each 64 parts, and one write to each index and to the
outbox. A writer waits for its batch within a small budget (`settle`), so a memory is usually found by the next search;
not while a store or the embedder is known to be away.

The task sleeps until a change of this process wakes it, the next entry is due or the next memory expires. Without any
of these it looks again at growing intervals, for entries that another pod left, and so holds no connection.

Failures are told apart in `attempts`; `reconciler` finds what the outbox does not tell, such as an index whose folder
was lost.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta
from typing import Final

import structlog

from loci_dataplane.outbox.attempts import Attempts
from loci_dataplane.outbox.graph_index import GraphIndex
from loci_dataplane.outbox.index_writer import IndexWriter
from loci_dataplane.outbox.model_change import ModelChange
from loci_dataplane.outbox.reconciler import Reconciler
from loci_dataplane.outbox.vector_index import VectorIndex
from loci_dataplane.stores.embedding import Embedder
from loci_dataplane.stores.errors import EmbedderUnavailableError, StoreError
from loci_dataplane.stores.ports import Stores
from loci_runtime.backoff import Backoff
from loci_runtime.tracing import Causes, span

_BATCH: Final = 32
_REEMBEDDED_BETWEEN: Final = 8
"""Memories embedded for another model between two batches of the outbox."""
_LEASE: Final = timedelta(minutes=2)
"""Longer than a batch takes; another pod takes the entries over when this one has died."""
_EXPIRED_AT_ONCE: Final = 1_000
_IDLE: Final = Backoff(first=30.0, longest=600.0)
_BROKEN: Final = Backoff(first=0.5, longest=30.0)
_SHORTEST_SLEEP: Final = 0.02
_REVIVAL: Final = timedelta(hours=1)


class Indexer:
    """The background task that drains a tenant's outbox."""

    def __init__(
        self, stores: Stores, embedder: Embedder, graph: GraphIndex, now: Callable[[], datetime], tenant: str
    ) -> None:
        self._stores = stores
        vectors = VectorIndex(stores.vectors, embedder)
        self._attempts = Attempts(stores, embedder, IndexWriter(stores, vectors, graph, now), now, tenant)
        self.model_change = ModelChange(stores, embedder, vectors, now)
        self._reconciler = Reconciler(stores, self.touch, tenant)
        self._now = now
        self._wake = asyncio.Event()
        self._progress = asyncio.Condition()
        self._changes = 0
        self._causes = Causes()
        self._indexed_changes = 0
        self._revived_at = datetime.min.replace(tzinfo=now().tzinfo)
        self._log = structlog.get_logger().bind(tenant_id=tenant)
        self.generation = 0
        """Grows with each change of rows or indexes; a search result computed before may be out of date."""

    @property
    def drift(self) -> dict[str, int]:
        """For each index, how many memories the last comparison found out of line."""
        return self._reconciler.drift

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Drain the outbox and compare the indexes for the length of the block."""
        task = asyncio.create_task(self._run())
        try:
            async with self._reconciler.running():
                yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def touch(self) -> None:
        """Wake the task up after a change of the rows."""
        self.generation += 1
        self._changes += 1
        self._causes.note()
        self._wake.set()

    async def settle(self, budget: float) -> None:
        """Wait until a batch was indexed that began after the last `touch`, for at most `budget` seconds."""
        if self._attempts.outage is not None:
            return
        change = self._changes
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(budget), self._progress:
                await self._progress.wait_for(lambda: self._indexed_changes >= change)

    async def _run(self) -> None:
        idle = broken = 0
        while True:
            self._wake.clear()
            try:
                if await self._drain():
                    idle = broken = 0
                    continue
                idle, broken = idle + 1, 0
                seconds = await self._until_next(_IDLE.delay(idle))
            except Exception as error:  # noqa: BLE001 - the edge of a task that must outlive any failure of a store
                broken += 1
                seconds = _BROKEN.delay(broken)
                self._log.error("indexing failed", error=type(error).__name__, retry_seconds=round(seconds, 1))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), seconds)

    async def _until_next(self, idle: float) -> float:
        """Seconds until an entry is due or a memory expires, at most `idle`."""
        times = (await self._stores.outbox.next_due(), await self._stores.records.first_expiry())
        now = self._now()
        seconds = [(moment - now).total_seconds() for moment in times if moment is not None]
        return max(_SHORTEST_SLEEP, min([idle, *seconds]))

    async def _drain(self) -> bool:
        """Index one batch; return false if there was nothing to do."""
        changes = self._changes
        await self._revive()
        deleted = await self._delete_expired()
        entries = await self._stores.outbox.claim(_BATCH, self._now(), _LEASE)
        if not entries:
            return bool(deleted) or await self._change_model(_BATCH)
        with span("index", links=self._causes.take()) as indexing:
            indexing.set(entries=len(entries))
            if await self._attempts.index(entries):
                self._reconciler.wake()
        self.generation += 1
        async with self._progress:
            self._indexed_changes = changes
            self._progress.notify_all()
        await self._change_model(_REEMBEDDED_BETWEEN)
        return True

    async def _change_model(self, limit: int) -> bool:
        serving = self._stores.vectors.serving
        try:
            return await self.model_change.step(limit)
        except (EmbedderUnavailableError, StoreError) as error:
            self._log.warning("model change postponed", error=type(error).__name__, reason=str(error))
            return False
        finally:
            self.generation += serving != self._stores.vectors.serving

    async def _revive(self) -> None:
        """Give dead letters another chance at the start and from time to time: what they failed for may be mended."""
        if (now := self._now()) < self._revived_at + _REVIVAL:
            return
        if number := await self._stores.outbox.revive():
            self._log.info("dead letters are tried again", number=number)
        self._revived_at = now

    async def _delete_expired(self) -> int:
        """Delete expired memories, which would take the places of others in the indexes; return how many."""
        now, expiry = self._now(), await self._stores.records.first_expiry()
        if expiry is None or expiry > now:
            return 0
        async with self._stores.transaction() as transaction:
            return await transaction.delete_expired(now, _EXPIRED_AT_ONCE)
