"""The queue: each tenant once, one at a time, and no failing one in another's way."""

import asyncio
from collections import Counter

import pytest

from loci_operator.work_queue import NUDGE_SECONDS, WorkQueue


class Work:
    """Work that waits until it is let go, and counts."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.running: Counter[str] = Counter()
        self.most: Counter[str] = Counter()
        self.gate = asyncio.Event()
        self.gate.set()
        self.poisoned: set[str] = set()
        self.started = asyncio.Event()
        self._progress = asyncio.Condition()

    async def reached(self, count: int) -> None:
        async with self._progress:
            await self._progress.wait_for(lambda: len(self.done) >= count)

    async def __call__(self, key: str) -> None:
        self.running[key] += 1
        self.started.set()
        self.most[key] = max(self.most[key], self.running[key])
        try:
            await self.gate.wait()
            if key in self.poisoned:
                raise RuntimeError(key)
            self.done.append(key)
            async with self._progress:
                self._progress.notify_all()
        finally:
            self.running[key] -= 1


async def until(queue: WorkQueue, work: Work, count: int, workers: int = 2) -> None:
    task = asyncio.create_task(queue.run(work, workers))
    try:
        async with asyncio.timeout(5):
            await work.reached(count)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_key_asked_for_many_times_is_done_once() -> None:
    queue, work = WorkQueue(lambda *_: None), Work()
    for _ in range(10):
        queue.add("acme")
    queue.add("last")
    await until(queue, work, 2)
    assert work.done == ["acme", "last"]


async def test_a_key_asked_for_while_it_is_done_is_done_again_afterwards() -> None:
    queue, work = WorkQueue(lambda *_: None), Work()
    work.gate.clear()
    queue.add("acme")
    task = asyncio.create_task(until(queue, work, 2))
    async with asyncio.timeout(5):
        await work.started.wait()
    queue.add("acme")
    queue.add("acme")
    work.gate.set()
    await task
    assert work.done == ["acme", "acme"]
    assert work.most["acme"] == 1, "a tenant was worked on twice at once"


async def test_keys_are_served_in_the_order_in_which_they_came() -> None:
    queue, work = WorkQueue(lambda *_: None), Work()
    for key in "cab":
        queue.add(key)
    await until(queue, work, 3, workers=1)
    assert work.done == ["c", "a", "b"]


async def test_a_failing_key_is_reported_and_delays_no_other() -> None:
    reported: list[str] = []
    queue, work = WorkQueue(lambda key, _: reported.append(key)), Work()
    work.poisoned.add("bad")
    for key in ("bad", "good", "better"):
        queue.add(key)
    await until(queue, work, 2, workers=1)
    assert work.done == ["good", "better"]
    assert reported == ["bad"]


async def test_a_key_that_failed_comes_back() -> None:
    work = Work()
    work.poisoned.add("bad")
    queue = WorkQueue(lambda *_: work.poisoned.clear())
    queue.add("bad")
    await until(queue, work, 1)
    assert work.done == ["bad"]


def boom(*_: object) -> None:
    raise RuntimeError("a report that fails")


async def test_a_report_that_fails_ends_no_worker() -> None:
    queue, work = WorkQueue(boom), Work()
    work.poisoned.add("bad")
    for key in ("bad", "good"):
        queue.add(key)
    await until(queue, work, 1, workers=1)
    assert work.done == ["good"]


async def test_work_that_is_cancelled_from_within_ends_no_worker() -> None:
    done: list[str] = []
    finished = asyncio.Event()

    async def work(key: str) -> None:
        if key == "bad":
            raise asyncio.CancelledError
        done.append(key)
        finished.set()

    queue = WorkQueue(lambda *_: None)
    for key in ("bad", "good"):
        queue.add(key)
    task = asyncio.create_task(queue.run(work, 1))
    async with asyncio.timeout(5):
        await finished.wait()
    assert not task.done()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert done == ["good"]


def failing_queue(failures: int) -> WorkQueue:
    """A queue where `bad` just failed so many times, without a worker."""
    queue = WorkQueue(lambda *_: None)
    for _ in range(failures):
        queue._retry("bad")
    return queue


def due_in(queue: WorkQueue, key: str = "bad") -> float:
    return queue._retries[key].timer.when() - queue._retries[key].failed_at


@pytest.mark.parametrize("failures", [1, 2, 10, 1_100, 100_000])
async def test_a_retry_waits_at_most_a_minute_however_often_it_failed(failures: int) -> None:
    queue = WorkQueue(lambda *_: None)
    queue._failures["bad"] = failures - 1
    queue._retry("bad")
    assert 0 < due_in(queue) <= 60


async def test_a_nudge_brings_a_retry_forward_no_further_than_a_few_seconds_after_the_failure() -> None:
    queue = failing_queue(10)
    assert due_in(queue) > NUDGE_SECONDS
    for _ in range(100):
        queue.nudge("bad")
    assert due_in(queue) == NUDGE_SECONDS
    assert len(queue) == 0


async def test_a_nudge_never_delays_a_retry() -> None:
    queue = failing_queue(1)
    before = due_in(queue)
    queue.nudge("bad")
    assert due_in(queue) == before


async def test_what_was_wanted_anew_does_not_wait_for_a_retry() -> None:
    queue = failing_queue(10)
    queue.add("bad")
    assert (len(queue), queue._retries) == (1, {})


async def test_a_nudge_while_a_key_fails_keeps_its_back_off() -> None:
    reported = asyncio.Event()
    queue = WorkQueue(lambda *_: reported.set())

    async def work(key: str) -> None:
        queue.nudge(key)  # as the echo of what it wrote
        raise RuntimeError(key)

    queue._failures["bad"] = 10
    queue.add("bad")
    task = asyncio.create_task(queue.run(work, 1))
    async with asyncio.timeout(5):
        await reported.wait()
    await asyncio.sleep(0)
    assert due_in(queue) == NUDGE_SECONDS
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_work_that_ends_with_its_workers_is_done_by_the_next_ones() -> None:
    queue, work = WorkQueue(lambda *_: None), Work()
    work.gate.clear()
    work.poisoned.add("failed")
    queue.add("interrupted")
    first = asyncio.create_task(queue.run(work, 1))
    async with asyncio.timeout(5):
        await work.started.wait()
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    work.gate.set()
    queue.add("added meanwhile")
    await until(queue, work, 2)
    assert sorted(work.done) == ["added meanwhile", "interrupted"]
    assert len(queue) == 0


async def test_a_queue_without_workers_is_not_stuck() -> None:
    now = 0.0
    queue, work = WorkQueue(lambda *_: None, clock=lambda: now), Work()
    queue.add("waits")
    now = 1000.0
    assert queue.stalled == 0
    work.gate.clear()
    task = asyncio.create_task(queue.run(work, 1))
    async with asyncio.timeout(5):
        await work.started.wait()
    now = 1007.0
    assert queue.stalled == 7
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
