"""Bring the vectors and the graph in line with the rows, from the outbox.

Every change of a memory leaves an outbox entry in its transaction. One task per tenant takes entries that are due, in
batches, embeds the contents that the rows have now and replaces the memories' vectors and their part of the graph; a
memory without a row loses both. An entry is removed only after that, and only if no change renewed it meanwhile. Each
step can be repeated, so a crash at any point costs repeated work and nothing else.

Cost, for a batch of up to 32 memories: one embedding call for each 64 parts, and one write to each index and to the
outbox. A writer waits for its batch within a small budget (`settle`), so a memory is usually found by the next search.

Failures: if the embedder or a store fails, the entries are postponed with exponential back-off and then tried one by
one, so that an entry that always fails does not hold up the others. They stay in the outbox, where
`memory_outbox_entries` and a search's `pending` show them. If the index has fewer memories than the rows without an
entry, because its folder was lost, all memories are indexed again at the start. The vectors and the graph are written
side by side: when one of them fails the other is complete, and vectors that were written are not made again.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

import numpy as np
import structlog

from loci_dataplane.model.memory import Memory
from loci_dataplane.outbox.graph_index import GraphIndex
from loci_dataplane.outbox.passages import passages
from loci_dataplane.stores.embedding import Embedder, Purpose
from loci_dataplane.stores.errors import EmbedderUnavailableError, StoreError
from loci_dataplane.stores.ports import OutboxEntry, Stores, Vector
from loci_runtime.backoff import Backoff
from loci_runtime.tracing import Causes, span

_BATCH: Final = 32
_TEXTS_AT_ONCE: Final = 64
"""Parts of contents in one call of the embedder, which has a deadline and takes at most 256 texts."""
_LEASE: Final = timedelta(minutes=2)
"""Longer than a batch takes; another pod takes the entries over when this one has died."""
_EXPIRED_AT_ONCE: Final = 1_000
_IDLE_SECONDS: Final = 1.0
_BACKOFF: Final = Backoff(first=0.5, longest=60.0)


class Indexer:
    """The background task that drains a tenant's outbox."""

    def __init__(
        self, stores: Stores, embedder: Embedder, graph: GraphIndex, now: Callable[[], datetime], tenant: str
    ) -> None:
        self._stores = stores
        self._embedder = embedder
        self._graph = graph
        self._with_vectors: dict[str, int] = {}
        self._now = now
        self._wake = asyncio.Event()
        self._progress = asyncio.Condition()
        self._changes = 0
        self._causes = Causes()
        self._indexed_changes = 0
        self._log = structlog.get_logger().bind(tenant_id=tenant)
        self.generation = 0
        """Grows with each change of rows or indexes; a search result computed before may be out of date."""

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Drain the outbox for the length of the block."""
        task = asyncio.create_task(self._run())
        try:
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
        change = self._changes
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(budget), self._progress:
                await self._progress.wait_for(lambda: self._indexed_changes >= change)

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
        """Enqueue every memory if the index has lost some; once, at the start."""
        while await self._delete_expired():
            pass
        settled = await self._stores.outbox.settled()
        missing = {"vectors": settled - await self._stores.vectors.count(), "graph": await self._missing_nodes(settled)}
        if lacking := {index: number for index, number in missing.items() if number > 0}:
            self._log.warning("indexes are incomplete, indexing all memories again", missing=lacking)
            await self._stores.outbox.enqueue_all()
        return True

    async def _missing_nodes(self, settled: int) -> int:
        try:
            return await self._graph.missing(settled)
        except StoreError as error:  # the vectors need not wait for a graph that is away
            self._log.warning("graph cannot be compared with the rows", reason=str(error))
            return 0

    async def _drain(self) -> bool:
        """Index one batch; return false if there was nothing to do."""
        changes = self._changes
        deleted = await self._delete_expired()
        entries = await self._stores.outbox.claim(_BATCH, self._now(), _LEASE)
        if not entries:
            return bool(deleted)
        fresh = [entry for entry in entries if entry.attempts == 0]
        for batch in [fresh] if fresh else [[entry] for entry in entries]:
            await self._attempt(batch)
        self.generation += 1
        async with self._progress:
            self._indexed_changes = changes
            self._progress.notify_all()
        return True

    async def _delete_expired(self) -> int:
        """Delete expired memories, which would take the places of others in the indexes; return how many."""
        now = self._now()
        if not await self._stores.records.has_expired(now):
            return 0
        async with self._stores.transaction() as transaction:
            return await transaction.delete_expired(now, _EXPIRED_AT_ONCE)

    async def _attempt(self, entries: Sequence[OutboxEntry]) -> None:
        try:
            with span("index", links=self._causes.take()) as indexing:
                indexing.set(entries=len(entries))
                await self._index(entries)
        except (EmbedderUnavailableError, StoreError) as error:
            self._log.warning("indexing postponed", error=type(error).__name__, reason=str(error), entries=len(entries))
        except Exception as error:  # noqa: BLE001 - the edge of the stores: a failing entry waits, it is never dropped
            self._log.error("indexing postponed", error=type(error).__name__, entries=len(entries))
        else:
            await self._stores.outbox.finish(entries)
            for entry in entries:
                self._with_vectors.pop(entry.memory_id, None)
            return
        due_at = self._now() + timedelta(seconds=_BACKOFF.delay(entries[0].attempts + 1))
        await self._stores.outbox.postpone(entries, due_at)

    async def _index(self, entries: Sequence[OutboxEntry]) -> None:
        ids = [entry.memory_id for entry in entries]
        memories = await self._stores.records.get(ids, self._now())
        deleted = [memory_id for memory_id in ids if memory_id not in memories]
        writes = (
            self._index_vectors(entries, memories, deleted),
            self._graph.replace(list(memories.values()), deleted),
        )
        failures = [result for result in await asyncio.gather(*writes, return_exceptions=True) if result is not None]
        if failures:
            raise failures[0]

    async def _index_vectors(
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
