"""Opens a tenant's stores and keeps trying while it cannot.

The process serves from the start: probes work, and everything that needs the stores responds 503 until they are open.
A failed attempt (a full volume, a damaged or newer file, a server that is away) is repeated with exponential back-off;
the first success ends that. A single task opens and closes the stores, so that every context manager is exited in the
task that entered it.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from typing import Final

import structlog

from loci_dataplane.injection import Services
from loci_dataplane.stores.errors import StoreError
from loci_dataplane.stores.ports import Stores
from loci_runtime.backoff import Backoff

Open = Callable[[], AbstractAsyncContextManager[Stores]]
Start = Callable[[Stores], AbstractAsyncContextManager[None]]

_BACKOFF: Final = Backoff(first=0.5, longest=30.0)
_UNKNOWN: Final = "stores"


class Lifecycle:
    """From the first attempt to open the stores to their closing.

    Args:
        open_stores: opens the stores for the length of a block.
        start: serves from open stores for the length of a block.
        services: told which store is missing.
        tenant: for the log.
    """

    def __init__(self, open_stores: Open, start: Start, services: Services, tenant: str) -> None:
        self._open_stores = open_stores
        self._start = start
        self._services = services
        self._log = structlog.get_logger().bind(tenant_id=tenant)
        self._attempted = asyncio.Event()
        self._stop = asyncio.Event()
        self.problem: str | None = None
        """Why the stores are not open, if the last attempt failed."""

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Open the stores in the background; close them at the end of the block."""
        task = asyncio.create_task(self._run())
        try:
            yield
        finally:
            self._stop.set()
            await task

    async def attempted(self) -> None:
        """Wait for the first attempt to open the stores, successful or not."""
        await self._attempted.wait()

    async def _run(self) -> None:
        failures = 0
        while not self._stop.is_set():
            try:
                async with self._open_stores() as stores, self._start(stores):
                    self._opened()
                    await self._stop.wait()
            except Exception as error:
                if self._stop.is_set():  # closing failed, and opening again would not help
                    raise
                failures += 1
                await self._wait(error, _BACKOFF.delay(failures))

    def _opened(self) -> None:
        if self.problem:
            self._log.info("stores opened, serving again")
        self.problem = None
        self._attempted.set()

    async def _wait(self, error: Exception, seconds: float) -> None:
        self._services.missing = error.component if isinstance(error, StoreError) else _UNKNOWN
        self.problem = str(error) if isinstance(error, StoreError) else type(error).__name__
        self._log.error("not serving: stores cannot be opened", reason=self.problem, retry_seconds=round(seconds, 1))
        self._attempted.set()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stop.wait(), seconds)
