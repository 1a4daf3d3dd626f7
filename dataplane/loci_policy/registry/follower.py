"""Apply the updates of a registry source to the policy's table.

A snapshot replaces the table, later updates change single tenants; each takes effect with the next decision. If the
source is lost, the table stays as it is and decisions go on with stale data, which metrics report. An invalid record
removes its tenant, so that a doubtful record denies access. The cost of an update is that of the table's change.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable

import structlog

from loci_policy.metrics import Metrics
from loci_policy.registry.updates import Alive, Changed, Lost, Removed, Snapshot, Source, Update
from loci_policy.table import Table


class Registry:
    """Keeps the table up to date and tracks whether it is complete and current."""

    def __init__(self, table: Table, metrics: Metrics, clock: Callable[[], float] = time.time) -> None:
        self.table = table
        self._first_sync = asyncio.Event()
        self.connected = False
        self._metrics = metrics
        self._clock = clock
        self._log = structlog.get_logger()

    @property
    def synced(self) -> bool:
        """Whether the table was complete once."""
        return self._first_sync.is_set()

    async def until_synced(self, seconds: float) -> None:
        """Wait until the table was complete once, but not longer than so many seconds."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._first_sync.wait(), seconds)

    @property
    def stale(self) -> bool:
        """Whether the table may be out of date because the source is unavailable."""
        return self.synced and not self.connected

    async def follow(self, source: Source) -> None:
        """Apply a source's updates until they end."""
        async for update in source.updates():
            self.apply(update)

    def apply(self, update: Update) -> None:
        """Apply one update; it takes effect with the next decision."""
        match update:
            case Snapshot(records):
                self.table.replace(records)
                self._first_sync.set()
            case Changed(record, written_at):
                self.table.put(record)
                self._observe(written_at)
            case Removed(tenant, invalid):
                self.table.remove(tenant)
                if invalid:
                    self._metrics.invalid.inc()
                    self._log.error("invalid registry record, denying the tenant", tenant_id=tenant)
            case Alive() | Lost():
                pass
        self._note(update)

    def _observe(self, written_at: float | None) -> None:
        if written_at is not None:
            self._metrics.propagation.observe(max(0.0, self._clock() - written_at))

    def _note(self, update: Update) -> None:
        connected = not isinstance(update, Lost)
        if connected is not self.connected:
            if isinstance(update, Lost):
                self._log.warning("registry source lost", reason=update.reason)
            else:
                self._log.info("registry source connected")
        self.connected = connected
        self._metrics.connected.set(connected)
        self._metrics.stale.set(self.synced and not connected)
        self._metrics.synced.set(self.synced)
        self._metrics.tenants.set(len(self.table))
        if connected:
            self._metrics.last_contact.set(self._clock())
