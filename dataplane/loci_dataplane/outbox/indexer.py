"""Draining the outbox: whatever its row says now is what a memory's vector becomes. Safe to repeat at any point."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime, timedelta
from typing import Final

import structlog

from loci_dataplane.errors import EmbedderUnavailableError
from loci_dataplane.stores.ports import Embedder, Records, Task, Vectors
from loci_runtime.backoff import Backoff

_BATCH: Final = 32
_SWEEP: Final = 1_000
_IDLE_SECONDS: Final = 1.0
_BACKOFF: Final = Backoff(first=0.5, longest=60.0)


class Indexer:
    """Brings vectors in line with records, in the background."""

    def __init__(
        self, records: Records, vectors: Vectors, embedder: Embedder, now: Callable[[], datetime], tenant: str
    ) -> None:
        self._records = records
        self._vectors = vectors
        self._embedder = embedder
        self._now = now
        self._wake = asyncio.Event()
        self._indexed = asyncio.Event()
        self._log = structlog.get_logger().bind(tenant_id=tenant)
        self.generation = 0
        """Grows when an index changed: what was computed before may be out of date."""

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Drain the outbox for as long as the block lasts."""
        task = asyncio.create_task(self._run())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def touch(self) -> None:
        """Say that records changed."""
        self.generation += 1
        self._indexed.clear()
        self._wake.set()

    async def settle(self, budget: float) -> None:
        """Wait until the outbox was drained once, but no longer than `budget` seconds."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._indexed.wait(), budget)

    async def _run(self) -> None:
        work = self._complete
        while True:
            try:
                worked = await work()
                work = self._drain
            except Exception as error:  # noqa: BLE001 - the edge of a task that must outlive any failure of a store
                self._log.error("indexing failed", error=type(error).__name__)
                worked = False
            if not worked:
                self._wake.clear()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), _IDLE_SECONDS)

    async def _complete(self) -> bool:
        """Index everything anew when the index has lost something, such as its folder; once, at the start."""
        while await self._records.sweep(self._now(), _SWEEP):
            pass
        if (missing := await self._records.settled() - await self._vectors.count()) > 0:
            self._log.warning("index is incomplete: everything is indexed anew", missing=missing)
            await self._records.requeue()
        return True

    async def _drain(self) -> bool:
        """Do one batch; false when nothing was due."""
        # What has expired goes, lest it stands in the living's way in the indexes.
        swept = await self._records.sweep(self._now(), _SWEEP)
        tasks = await self._records.tasks(_BATCH, self._now())
        if not tasks:
            return bool(swept)
        fresh = [task for task in tasks if task.attempts == 0]
        # What failed before goes alone, so that one bad entry delays no other.
        for batch in [fresh] if fresh else [[task] for task in tasks]:
            await self._attempt(batch)
        self.generation += 1
        self._indexed.set()
        return True

    async def _attempt(self, tasks: Sequence[Task]) -> None:
        try:
            await self._index(tasks)
        except EmbedderUnavailableError as error:
            self._log.warning("embedder unavailable", error=str(error), waiting=len(tasks))
        except Exception as error:  # noqa: BLE001 - the edge to stores: a failing entry waits, it is never dropped
            self._log.error("index failed", error=type(error).__name__, waiting=len(tasks))
        else:
            await self._records.finish(tasks)
            return
        await self._records.postpone(tasks, self._now() + timedelta(seconds=_BACKOFF.delay(tasks[0].attempts + 1)))

    async def _index(self, tasks: Sequence[Task]) -> None:
        ids = [task.memory_id for task in tasks]
        rows = await self._records.get(ids, self._now())
        if rows:
            contents = [memory.content for memory in rows.values()]
            vectors = await self._embedder.embed(contents, interactive=False)
            await self._vectors.upsert(list(rows), vectors)
        await self._vectors.delete([memory_id for memory_id in ids if memory_id not in rows])
