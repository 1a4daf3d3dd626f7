"""Work keyed by tenant: queued once however often asked for, one at a time for a tenant, several tenants at once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from loci_runtime.backoff import Backoff

_BACKOFF: Final = Backoff(first=0.4, longest=60.0)

Work = Callable[[str], Awaitable[None]]


class WorkQueue:
    """First come, first served; a key that fails comes back later, and no other waits for it."""

    def __init__(self, on_error: Callable[[str, Exception], None]) -> None:
        self._on_error = on_error
        self._waiting: dict[str, None] = {}  # a dictionary keeps the order of its keys
        self._running: set[str] = set()
        self._again: set[str] = set()
        self._failures: dict[str, int] = {}
        self._arrived = asyncio.Condition()
        self._timers: set[asyncio.TimerHandle] = set()
        self._background: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        return len(self._waiting) + len(self._running)

    def add(self, key: str) -> None:
        """Ask for a key's work; while it is being done, ask for it once more afterwards."""
        if key in self._running:
            self._again.add(key)
        elif key not in self._waiting:
            self._waiting[key] = None
            task = asyncio.ensure_future(self._notify())
            self._background.add(task)
            task.add_done_callback(self._background.discard)

    def add_later(self, key: str, seconds: float) -> None:
        """Ask for a key's work after a while."""
        loop = asyncio.get_running_loop()

        def due() -> None:
            self._timers.discard(timer)
            self.add(key)

        timer = loop.call_later(seconds, due)
        self._timers.add(timer)

    async def run(self, work: Work, workers: int) -> None:
        """Do the work until cancelled."""
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(workers):
                    group.create_task(self._worker(work))
        finally:
            for timer in self._timers:
                timer.cancel()

    async def _worker(self, work: Work) -> None:
        while True:
            key = await self._take()
            try:
                await work(key)
            except Exception as error:  # noqa: BLE001 - the edge of one tenant's work: it must not stop another's
                self._on_error(key, error)
                self._retry(key)
            else:
                self._failures.pop(key, None)
            self._running.discard(key)
            if key in self._again:
                self._again.discard(key)
                self.add(key)

    async def _take(self) -> str:
        async with self._arrived:
            await self._arrived.wait_for(lambda: bool(self._waiting))
            key = next(iter(self._waiting))
            del self._waiting[key]
            self._running.add(key)
            return key

    async def _notify(self) -> None:
        async with self._arrived:
            self._arrived.notify()

    def _retry(self, key: str) -> None:
        failures = self._failures[key] = self._failures.get(key, 0) + 1
        self.add_later(key, _BACKOFF.delay(failures))
