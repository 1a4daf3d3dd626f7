"""Searches are computed once for each generation, and only complete results are kept."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from loci_dataplane.search.results import Results
from loci_dataplane.search.schemas import SearchInput, SearchOutput
from loci_dataplane.stores.cache import ProcessCache

NOW = datetime(2026, 1, 1, tzinfo=UTC)
OTTER = SearchInput(query="otter")


def result(**fields: object) -> dict[str, object]:
    given = {
        "id": "m",
        "content": "an otter",
        "metadata": {"n": 1.5},
        "created_at": NOW,
        "updated_at": NOW,
        "score": 0.1,
    }
    return {**given, **fields}


def output(**fields: object) -> SearchOutput:
    return SearchOutput.model_validate({"results": [], "degraded": [], **fields})


class Index:
    """A generation and a search that can be held up."""

    def __init__(self, found: SearchOutput | None = None) -> None:
        self.generation = "1"
        self.computed = 0
        self.may_end = asyncio.Event()
        self.may_end.set()
        self.found = found or output()
        self.results = Results(ProcessCache(), self.read)

    async def read(self) -> str:
        return self.generation

    async def compute(self) -> SearchOutput:
        self.computed += 1
        await self.may_end.wait()
        return self.found

    async def search(self, wanted: SearchInput = OTTER) -> SearchOutput:
        return await self.results.of(wanted, self.compute)


async def begun(index: Index, number: int) -> None:
    async with asyncio.timeout(5):
        while index.computed < number:  # noqa: ASYNC110 - as many turns of the loop as it takes
            await asyncio.sleep(0)


async def test_an_equal_search_is_answered_from_the_cache() -> None:
    index = Index(output(results=[result(score=0.1 + 0.2)]))
    assert await index.search() == await index.search(SearchInput(query="otter", top_k=10)) == index.found
    assert index.computed == 1
    assert index.results.hit_ratio() == 0.5


async def test_equal_searches_at_the_same_time_are_computed_once() -> None:
    index = Index()
    index.may_end.clear()
    async with asyncio.TaskGroup() as group:
        for _ in range(10):
            group.create_task(index.search())
        group.create_task(index.search(SearchInput(query="badger")))
        await begun(index, 2)
        index.may_end.set()
    assert index.computed == 2


async def test_a_search_after_a_write_never_waits_for_one_from_before() -> None:
    index = Index()
    index.may_end.clear()
    async with asyncio.TaskGroup() as group:
        before = group.create_task(index.search())
        await begun(index, 1)
        index.generation, index.found = "2", output(pending=1)
        after = group.create_task(index.search())
        await begun(index, 2)
        index.may_end.set()
    assert before.done()
    assert after.result().pending == 1


async def test_others_get_their_results_when_the_first_request_is_cancelled() -> None:
    index = Index()
    index.may_end.clear()
    first = asyncio.create_task(index.search())
    await begun(index, 1)
    second = asyncio.create_task(index.search())
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    index.may_end.set()
    assert await second == index.found
    assert index.computed == 1


async def test_a_failure_reaches_all_that_wait_and_is_not_kept() -> None:
    index = Index()
    failing = [True]

    async def compute() -> SearchOutput:
        if failing.pop():
            raise OSError("away")
        return index.found

    with pytest.raises(OSError, match="away"):
        await index.results.of(OTTER, compute)
    failing.append(False)
    assert await index.results.of(OTTER, compute) == index.found


@pytest.mark.parametrize(
    "found",
    [
        output(degraded=["vector"]),
        output(pending=1),
        output(results=[result(expires_at=NOW)]),
    ],
    ids=["degraded", "pending", "expiring"],
)
async def test_incomplete_results_are_computed_again(found: SearchOutput) -> None:
    index = Index(found)
    await index.search()
    await index.search()
    assert index.computed == 2


async def test_nothing_is_answered_from_the_cache_after_forgetting() -> None:
    index = Index()
    await index.search()
    await index.results.forget()
    await index.search()
    assert index.computed == 2
