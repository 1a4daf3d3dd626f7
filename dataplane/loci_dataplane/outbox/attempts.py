"""Index a batch of outbox entries, and tell an outage from an entry that fails by itself.

A batch that fails is judged by its error. If a store is full, or the store or the embedder that failed does not answer
a probe, it is an outage: the whole batch is postponed, no attempt is counted, and the delay grows with the length of
the outage. Anything else is an entry's own fault: the batch is halved until the entries that fail are alone, which
costs two attempts for each halving. Such an entry is tried `ATTEMPTS_MAX` times over about a minute and then becomes
a dead letter.

After an outage the entries that it postponed are due at once, and so are the dead letters, since a store that fails in
an unusual way may have made some.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import structlog

from loci_dataplane.outbox.index_writer import IndexWriter
from loci_dataplane.stores.embedding import Embedder, Purpose
from loci_dataplane.stores.errors import (
    EmbedderRejectedError,
    EmbedderUnavailableError,
    StorageFullError,
    StoreError,
)
from loci_dataplane.stores.outbox_ports import OutboxEntry
from loci_dataplane.stores.ports import Stores
from loci_runtime.backoff import Backoff

ATTEMPTS_MAX: Final = 8
_BACKOFF: Final = Backoff(first=0.5, longest=60.0)
_OUTAGE: Final = Backoff(first=0.5, longest=30.0)
_EMBEDDER: Final = "embedder"
_OF_THE_EMBEDDER: Final = (EmbedderUnavailableError, EmbedderRejectedError)

Probe = Callable[[], Awaitable[Any]]


class Attempts:
    """Indexes batches; `outage` names the component that does not answer, if any."""

    def __init__(
        self, stores: Stores, embedder: Embedder, writer: IndexWriter, now: Callable[[], datetime], tenant: str
    ) -> None:
        self._stores = stores
        self._writer = writer
        self._now = now
        self._log = structlog.get_logger().bind(tenant_id=tenant)
        self._failures = 0
        self._probes: dict[str, Probe] = {
            "records": stores.records.check,
            "vectors": lambda: stores.vectors.held(["probe"]),
            "graph": stores.graph.check,
            _EMBEDDER: lambda: embedder.embed(["probe"], Purpose.PASSAGE, interactive=False),
        }
        self.outage: str | None = None

    async def index(self, entries: Sequence[OutboxEntry]) -> bool:
        """Index a batch, each entry of it that can be; return whether this ended an outage."""
        try:
            await self._writer.write(entries)
        except Exception as error:  # noqa: BLE001 - the edge of the stores: a failing entry waits, it is never dropped
            return await self._failed(entries, error)
        await self._stores.outbox.finish(entries)
        self._writer.forget(entries)
        return await self._recovered()

    async def _failed(self, entries: Sequence[OutboxEntry], error: Exception) -> bool:
        if (component := await self._absent(error)) is not None:
            await self._postpone(entries, component, error)
            return False
        if len(entries) == 1:
            await self._count(entries[0], error)
            return False
        half = len(entries) // 2
        ended = [await self.index(part) for part in (entries[:half], entries[half:])]
        return any(ended)

    async def _absent(self, error: Exception) -> str | None:
        """The component whose outage this is, None if it answers."""
        component = _component(error)
        if component is None or isinstance(error, StorageFullError):
            return component
        try:
            await self._probes[component]()
        except Exception:  # noqa: BLE001 - whatever a probe fails with, the component does not work
            return component
        return None

    async def _postpone(self, entries: Sequence[OutboxEntry], component: str, error: Exception) -> None:
        if self.outage != component:
            self._log.warning("indexing waits", component=component, reason=_reason(error))
        self.outage = component
        self._failures += 1
        due_at = self._now() + timedelta(seconds=_OUTAGE.delay(self._failures))
        await self._stores.outbox.postpone(entries, due_at, counted=False)

    async def _count(self, entry: OutboxEntry, error: Exception) -> None:
        attempts, reason = entry.attempts + 1, _reason(error)
        if attempts >= ATTEMPTS_MAX:
            self._log.error("not indexed: dead letter", attempts=attempts, reason=reason)
            self._writer.forget([entry])
            await self._stores.outbox.bury([entry])
            return
        self._log.warning("indexing postponed", attempts=attempts, reason=reason)
        due_at = self._now() + timedelta(seconds=_BACKOFF.delay(attempts))
        await self._stores.outbox.postpone([entry], due_at)

    async def _recovered(self) -> bool:
        if self.outage is None:
            return False
        self._log.info("indexing again", component=self.outage)
        self.outage, self._failures = None, 0
        await self._stores.outbox.hasten()
        await self._stores.outbox.revive()
        return True


def _component(error: Exception) -> str | None:
    if isinstance(error, _OF_THE_EMBEDDER):
        return _EMBEDDER
    return error.component if isinstance(error, StoreError) else None


def _reason(error: Exception) -> str:
    """Return the kind of an error, and its text if that is known to hold no content."""
    known = isinstance(error, (StoreError, *_OF_THE_EMBEDDER))
    return str(error) if known else type(error).__name__
