"""The operator's health follows its queue's progress, and its metrics are served beside it."""

import asyncio
from collections.abc import Callable

import httpx

from loci_dev.rigs.processes import free_port
from loci_operator.metrics import Metrics
from loci_operator.status_server import STUCK_SECONDS, status_server
from loci_operator.work_queue import WorkQueue


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def queue_with(clock: Callable[[], float]) -> tuple[WorkQueue, Metrics]:
    queue, metrics = WorkQueue(lambda _key, _error: None, clock), Metrics()
    metrics.show_queue(queue)
    return queue, metrics


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(f"loci_operator_{name}", labels)


async def test_a_queue_that_makes_no_progress_is_unhealthy_until_it_does() -> None:
    clock, release, port = Clock(), asyncio.Event(), free_port()
    queue, metrics = queue_with(clock)

    async def work(_: str) -> None:
        await release.wait()

    async with status_server(queue, metrics.registry, "127.0.0.1", port), httpx.AsyncClient() as client:

        async def health(path: str = "healthz") -> int:
            return (await client.get(f"http://127.0.0.1:{port}/{path}")).status_code

        worker = asyncio.create_task(queue.run(metrics.timed(work), 1))
        assert await health() == 200
        clock.now += 10 * STUCK_SECONDS
        assert await health() == 200, "at rest for long"
        queue.add("acme")
        queue.add("other")
        assert await health() == 200
        clock.now += STUCK_SECONDS + 1
        assert [await health(), await health("livez")] == [503, 503]
        assert value(metrics, "queue_age_seconds") == STUCK_SECONDS + 1
        assert value(metrics, "queue_depth") == 2
        shown = (await client.get(f"http://127.0.0.1:{port}/metrics")).text
        assert "loci_operator_queue_stalled_seconds 121.0" in shown
        release.set()
        while len(queue):  # noqa: ASYNC110 - the queue tells nobody that it is empty
            await asyncio.sleep(0)
        assert await health() == 200
        worker.cancel()
    assert value(metrics, "reconcile_duration_seconds_count", outcome="done") == 2


async def test_a_failing_reconcile_is_timed_as_such() -> None:
    metrics = Metrics()

    async def fail(_: str) -> None:
        raise ValueError

    for _ in range(2):
        try:
            await metrics.timed(fail)("acme")
        except ValueError:
            continue
    assert value(metrics, "reconcile_duration_seconds_count", outcome="failed") == 2
