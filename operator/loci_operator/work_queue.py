"""Work keyed by tenant: queued once however often asked for, one at a time for a tenant, several tenants at once.

A key is waiting, running or at rest. `add` asks for its work at once; `nudge` too, unless the key failed: then its
retry stays where the back-off put it, or comes forward to NUDGE_SECONDS after the failure at the soonest. So what a
failing reconcile changes itself, and what other controllers do about that, cannot make it spin. Asked for while it
runs, a key is done once more afterwards. A key costs one dictionary entry while it waits and one timer while it is
retried; whatever its work raises stays within that key.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

import structlog

from loci_runtime.backoff import Backoff

_BACKOFF: Final = Backoff(first=0.4, longest=60.0)
NUDGE_SECONDS: Final = 5.0

Work = Callable[[str], Awaitable[None]]


@dataclass(slots=True)
class _Retry:
    failed_at: float
    timer: asyncio.TimerHandle


class WorkQueue:
    """First come, first served; a key that fails comes back later, and no other waits for it."""

    def __init__(self, on_error: Callable[[str, Exception], None]) -> None:
        self._on_error = on_error
        self._waiting: dict[str, None] = {}  # a dictionary keeps the order of its keys
        self._running: set[str] = set()
        self._again: set[str] = set()
        self._nudged: set[str] = set()
        self._failures: dict[str, int] = {}
        self._retries: dict[str, _Retry] = {}
        self._timers: set[asyncio.TimerHandle] = set()
        self._arrived = asyncio.Semaphore(0)

    def __len__(self) -> int:
        return len(self._waiting) + len(self._running)

    def add(self, key: str) -> None:
        """Ask for a key's work at once; while it is being done, ask for it once more afterwards."""
        if key in self._running:
            self._again.add(key)
            return
        if retry := self._retries.pop(key, None):
            retry.timer.cancel()
        if key not in self._waiting:
            self._waiting[key] = None
            self._arrived.release()

    def nudge(self, key: str) -> None:
        """Ask for a key's work; one that failed keeps its back-off, down to NUDGE_SECONDS after the failure."""
        if key in self._running:
            self._nudged.add(key)
        elif retry := self._retries.get(key):
            self._schedule(key, retry.failed_at, min(retry.timer.when(), retry.failed_at + NUDGE_SECONDS))
        else:
            self.add(key)

    def nudge_later(self, key: str, seconds: float) -> None:
        """Nudge a key after a while."""
        loop = asyncio.get_running_loop()

        def due() -> None:
            self._timers.discard(timer)
            self.nudge(key)

        timer = loop.call_later(seconds, due)
        self._timers.add(timer)

    async def run(self, work: Work, workers: int) -> None:
        """Do the work until cancelled."""
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(workers):
                    group.create_task(self._worker(work))
        finally:
            for timer in (*self._timers, *(retry.timer for retry in self._retries.values())):
                timer.cancel()

    async def _worker(self, work: Work) -> None:
        while True:
            await self._arrived.acquire()
            key = next(iter(self._waiting))
            del self._waiting[key]
            self._running.add(key)
            error = await _outcome(work, key)
            self._running.discard(key)
            if error is None:
                self._failures.pop(key, None)
            else:
                self._retry(key)
                self._report(key, error)
            self._follow_up(key)

    def _follow_up(self, key: str) -> None:
        """What was asked for while the key ran."""
        nudged = key in self._nudged
        self._nudged.discard(key)
        if key in self._again:
            self._again.discard(key)
            self.add(key)
        elif nudged:
            self.nudge(key)

    def _report(self, key: str, error: Exception) -> None:
        try:
            self._on_error(key, error)
        except Exception as failure:  # noqa: BLE001 - a report that fails must not end the worker
            structlog.get_logger().error("cannot report", tenant_id=key, error=type(failure).__name__)

    def _retry(self, key: str) -> None:
        failures = self._failures[key] = self._failures.get(key, 0) + 1
        now = asyncio.get_running_loop().time()
        self._schedule(key, now, now + _BACKOFF.delay(failures))

    def _schedule(self, key: str, failed_at: float, when: float) -> None:
        if retry := self._retries.pop(key, None):
            retry.timer.cancel()
        timer = asyncio.get_running_loop().call_at(when, self.add, key)
        self._retries[key] = _Retry(failed_at, timer)


async def _outcome(work: Work, key: str) -> Exception | None:
    """What a key's work failed with; the edge of one tenant's work, which must not stop another's."""
    try:
        await work(key)
    except Exception as error:  # noqa: BLE001 - see above
        return error
    except asyncio.CancelledError:
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        return RuntimeError("cancelled from within")
    return None
