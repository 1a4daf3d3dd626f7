"""The duties of the active operator, done while this one leads; otherwise it stands by."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

import structlog

from loci_kubernetes.lease import Leadership, LeadershipLostError
from loci_operator.cluster.observer import Observer


async def lead(
    leadership: Leadership, observer: Observer, duties: Callable[[], list[Coroutine[Any, Any, None]]]
) -> None:
    """Do the duties of the active operator while this one leads, and stand by otherwise.

    The cache must be synced before: with a partial one every object would be written again.
    """
    await observer.synced()
    structlog.get_logger().info("caches synced")
    while True:
        await leadership.acquire()
        structlog.get_logger().info("leading")
        try:
            async with asyncio.TaskGroup() as group:
                for duty in (*duties(), leadership.keep()):
                    group.create_task(duty)
        except* LeadershipLostError:
            structlog.get_logger().warning("leadership lost, standing by")
        finally:
            await leadership.release()


async def end(tasks: Sequence[asyncio.Task[None]]) -> None:
    """Cancel tasks and wait until they have ended, which gives the Lease up."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
