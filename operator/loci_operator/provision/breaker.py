"""Keeps a store that is away from holding up workers.

One call runs at a time, within a time limit. After one found the store away, calls fail at once until `pause` seconds
have passed; then a single one tries again, and the others still fail at once. So a store that is away costs each worker
one time limit when it goes away, and after that one worker at a time. Serialised calls also suit PostgreSQL, where
concurrent grants on one database fail.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from loci_operator.provision.ports import StoreAwayError

_Result = TypeVar("_Result")


class Breaker:
    """Runs calls to one store.

    Args:
        store: its name, for the error.
        limit: time limit of a call, seconds.
        pause: how long calls fail after the store was found away, seconds.
    """

    def __init__(self, store: str, limit: float = 20.0, pause: float = 10.0) -> None:
        self._store = store
        self._limit = limit
        self._pause = pause
        self._lock = asyncio.Lock()
        self._away: StoreAwayError | None = None
        self._retry_at = 0.0

    async def run(self, call: Callable[[], Awaitable[_Result]]) -> _Result:
        """Run a call; raise StoreAwayError if the store is away."""
        if self._away and self._lock.locked():
            raise StoreAwayError(str(self._away))
        async with self._lock:
            loop = asyncio.get_running_loop()
            if self._away and loop.time() < self._retry_at:
                raise StoreAwayError(str(self._away))
            try:
                result = await asyncio.wait_for(call(), self._limit)
            except TimeoutError as error:
                self._away = StoreAwayError(f"{self._store} does not answer within {self._limit:.0f} s")
                self._retry_at = loop.time() + self._pause
                raise self._away from error
            except StoreAwayError as error:
                self._away, self._retry_at = error, loop.time() + self._pause
                raise
            self._away = None
            return result
