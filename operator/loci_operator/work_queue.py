"""Deduplicating work queue keyed by tenant, processed by several workers; a key is never processed concurrently.

A key is waiting, running or idle. `add` queues it immediately. `nudge` does too, except while a retry is pending: then
the retry keeps its back-off, but runs no later than NUDGE_SECONDS after the failure (or now, if that has passed). This
keeps a failing reconcile from looping on the events that it causes itself. A key that is added while it runs, runs once
more afterwards.

Cost: one dictionary entry per waiting key and one timer per pending retry. Failure modes: an exception affects only its
own key, which is retried with exponential back-off; the queue is in memory, and is rebuilt from a list after a restart.
Without workers (in a standby operator) keys wait; when workers end and others start, interrupted keys run again.
"""

from __future__ import annotations

import asyncio
import time
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
    """FIFO queue of unique keys with per-key retries."""

    def __init__(self, on_error: Callable[[str, Exception], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._on_error = on_error
        self._clock = clock
        self._ended_at = clock()
        self._is_run = False
        self._waiting: dict[str, float] = {}  # since when; a dictionary keeps the order of its keys
        self._running: set[str] = set()
        self._again: set[str] = set()
        self._nudged: set[str] = set()
        self._failures: dict[str, int] = {}
        self._retries: dict[str, _Retry] = {}
        self._timers: set[asyncio.TimerHandle] = set()
        self._arrived = asyncio.Semaphore(0)

    def __len__(self) -> int:
        return len(self._waiting) + len(self._running)

    @property
    def age(self) -> float:
        """Seconds that the first key has waited; 0 when none waits."""
        first = next(iter(self._waiting.values()), None)
        return 0.0 if first is None else self._clock() - first

    @property
    def stalled(self) -> float:
        """Seconds since a key's work last ended, while others wait or run; 0 when none does, or without workers."""
        return self._clock() - self._ended_at if self._is_run and len(self) else 0.0

    def add(self, key: str) -> None:
        """Queue a key immediately; if it is running, run it once more afterwards."""
        if key in self._running:
            self._again.add(key)
            return
        if retry := self._retries.pop(key, None):
            retry.timer.cancel()
        if key not in self._waiting:
            if not len(self):
                self._ended_at = self._clock()  # at rest until now
            self._waiting[key] = self._clock()
            self._arrived.release()

    def nudge(self, key: str) -> None:
        """Queue a key; a pending retry keeps its back-off, capped at NUDGE_SECONDS after the failure."""
        if key in self._running:
            self._nudged.add(key)
        elif retry := self._retries.get(key):
            self._schedule(key, retry.failed_at, min(retry.timer.when(), retry.failed_at + NUDGE_SECONDS))
        else:
            self.add(key)

    def nudge_later(self, key: str, seconds: float) -> None:
        """Nudge a key after a delay in seconds."""
        loop = asyncio.get_running_loop()

        def due() -> None:
            self._timers.discard(timer)
            self.nudge(key)

        timer = loop.call_later(seconds, due)
        self._timers.add(timer)

    async def run(self, work: Work, workers: int) -> None:
        """Process keys until cancelled; may be called again then."""
        self._is_run, self._ended_at = True, self._clock()
        self._add_interrupted()
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(workers):
                    group.create_task(self._worker(work))
        finally:
            self._is_run = False
            for timer in (*self._timers, *(retry.timer for retry in self._retries.values())):
                timer.cancel()

    def _add_interrupted(self) -> None:
        interrupted = (*self._running, *self._retries)
        for left in (self._running, self._again, self._nudged, self._retries, self._timers):
            left.clear()
        for key in interrupted:
            self.add(key)

    async def _worker(self, work: Work) -> None:
        while True:
            await self._arrived.acquire()
            key = next(iter(self._waiting))
            del self._waiting[key]
            self._running.add(key)
            error = await _outcome(work, key)
            self._running.discard(key)
            self._ended_at = self._clock()
            if error is None:
                self._failures.pop(key, None)
            else:
                self._retry(key)
                self._report(key, error)
            self._follow_up(key)

    def _follow_up(self, key: str) -> None:
        """Queue a key again if that was requested while it ran."""
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
        except Exception as failure:  # noqa: BLE001 - a failing callback must not end the worker
            structlog.get_logger().error("error callback failed", tenant_id=key, error=type(failure).__name__)

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
    """Run the work and return its exception, if any, so that one tenant's failure cannot stop another's work."""
    try:
        await work(key)
    except Exception as error:  # noqa: BLE001 - see above
        return error
    except asyncio.CancelledError:
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        return RuntimeError("work cancelled itself")
    return None
