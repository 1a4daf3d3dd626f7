"""Stores that kill their process at a chosen step of a write, so that a crash can be put between any two steps.

A fault is armed by SIGUSR1, so that a process can first recover from the crash before.
"""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from typing import Any, Final, cast

from loci_dataplane.model.history import Author
from loci_dataplane.stores.generations import Generations
from loci_dataplane.stores.history_ports import Erasures
from loci_dataplane.stores.outbox_ports import Outbox
from loci_dataplane.stores.ports import Graph, Stores, Transaction

POINTS: Final = (
    "before the commit",
    "after the commit",
    "before the vectors",
    "after the vectors",
    "before the vectors are deleted",
    "after the vectors are deleted",
    "before the graph",
    "after the graph",
    "before the entry is removed",
    "after the entry is removed",
)
"""The steps of a write, and of its way through the outbox."""
ERASURE_POINTS: Final = (
    "before the rows are erased",
    "after the rows are erased",
    "before the records are purged",
    "after the records are purged",
    "before the vectors are purged",
    "after the vectors are purged",
    "before the receipt",
    "after the receipt",
)
"""The steps of an erasure."""


class Fault:
    """Kills this process when a point is passed for the nth time after it was armed."""

    def __init__(self, point: str, nth: int) -> None:
        self._point = point
        self._left = nth
        self._armed = False

    def arm(self) -> None:
        """Count from now on."""
        self._armed = True

    def passed(self, point: str) -> None:
        """Tell of a point."""
        if not self._armed or point != self._point:
            return
        self._left -= 1
        if self._left <= 0:
            os.kill(os.getpid(), signal.SIGKILL)


class _Guarded:
    """A port, of which some methods have a point before and after them."""

    def __init__(self, port: object, fault: Fault, methods: Mapping[str, str]) -> None:
        self._port = port
        self._fault = fault
        self._methods = methods

    def __getattr__(self, name: str) -> Any:
        method, step = getattr(self._port, name), self._methods.get(name)
        if step is None:
            return method

        async def guarded(*arguments: Any, **options: Any) -> Any:
            self._fault.passed(f"before the {step}")
            result = await method(*arguments, **options)
            self._fault.passed(f"after the {step}")
            return result

        return guarded


def guarded(stores: Stores, fault: Fault) -> Stores:
    """The stores, with points between the steps."""

    @contextlib.asynccontextmanager
    async def transaction(author: Author | None = None) -> AsyncIterator[Transaction]:
        async with stores.transaction(author or Author()) as inner:
            yield inner
            fault.passed("before the commit")
        fault.passed("after the commit")

    vectors = _Guarded(
        stores.vectors, fault, {"replace": "vectors", "delete": "vectors are deleted", "purge": "vectors are purged"}
    )
    graph = _Guarded(stores.graph, fault, {"update": "graph"})
    outbox = _Guarded(stores.outbox, fault, {"finish": "entry is removed"})
    steps = {"erase": "rows are erased", "purge": "records are purged", "complete": "receipt"}
    erasures = _Guarded(stores.erasures, fault, steps)
    return replace(
        stores,
        transaction=transaction,
        vectors=cast("Generations", vectors),
        graph=cast("Graph", graph),
        erasures=cast("Erasures", erasures),
        outbox=cast("Outbox", outbox),
    )
