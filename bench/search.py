"""What a search costs: the search service in this process on embedded stores, and a bare Chroma query beside it."""

from __future__ import annotations

import asyncio
import itertools
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np

from loci_dataplane.model.memory import Memory, new_id
from loci_dataplane.outbox.passages import passages
from loci_dataplane.search.retrievers import retrievers
from loci_dataplane.search.schemas import SearchInput
from loci_dataplane.search.service import Search
from loci_dataplane.stores.embedded import embedded_stores
from loci_dataplane.stores.embedding import Purpose
from loci_dataplane.stores.ports import Stores
from loci_dev.bench import Figure, figure, report
from loci_embedder.serving import embedding_models
from loci_standalone.embedder import InProcessEmbedder

SIZES: Final = (1_000, 10_000)
_SEARCHES: Final = 200
_SESSION: Final = 20
_WRITTEN_AT_ONCE: Final = 500
_PEOPLE: Final = ("Ada", "Grace", "Alan", "Edsger", "Barbara")
_DEEDS: Final = ("bought", "sold", "repaired", "lost", "found", "painted", "borrowed", "photographed", "dreamt of")
_THINGS: Final = ("a bicycle", "an old piano", "two dogs", "the boat", "a camera", "her passport", "the red sofa")
_PLACES: Final = ("Lisbon", "Oslo", "the market", "a small village", "the station", "Kyoto", "her office", "Warsaw")
_TIMES: Final = ("last summer", "on Friday", "before breakfast", "during the storm", "in 2019", "after the wedding")


def main() -> int:
    """Report CPU and latency of searches that no cache answers, by the number of memories."""
    report("search", asyncio.run(_measure()))
    return 0


async def _measure() -> list[Figure]:
    figures: list[Figure] = []
    async with AsyncExitStack() as stack:
        embedder = InProcessEmbedder(await stack.enter_async_context(embedding_models()))
        for size in SIZES:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="loci-search-")))
            stores = await stack.enter_async_context(embedded_stores(folder))
            await _fill(stores, embedder, size)
            figures += await _figures(stores, embedder, size)
    return figures


async def _figures(stores: Stores, embedder: InProcessEmbedder, size: int) -> list[Figure]:
    search = Search(stores, retrievers(stores, embedder), lambda: datetime.now(UTC))
    queries = [text for _, text in itertools.islice(_sentences("Where was it that {0} {1} {2} {4}?"), _SEARCHES)]
    vectors = [(await embedder.embed([query], Purpose.QUERY, interactive=True))[0] for query in queries]
    hybrid = await _timed([partial(search.search, SearchInput(query=query)) for query in queries])
    bare = await _timed([partial(stores.vectors.search, vector, 100, None) for vector in vectors])
    cached = await _timed([partial(search.search, SearchInput(query=query)) for query in queries])
    names = ("CPU, mean", "p50", "p99")
    return [
        *(figure(f"{size} memories: hybrid, {n}", a, "ms", b) for n, a, b in zip(names, hybrid, bare, strict=True)),
        *(figure(f"{size} memories: from the cache, {n}", a, "ms") for n, a in zip(names, cached, strict=True)),
    ]


async def _timed(calls: Sequence[Callable[[], Awaitable[object]]]) -> tuple[float, float, float]:
    """Make calls one after the other; return CPU milliseconds a call in all threads, p50 and p99 of wall time."""
    walls = []
    cpu = time.process_time()
    for call in calls:
        started = time.perf_counter()
        await call()
        walls.append(time.perf_counter() - started)
    cpu = time.process_time() - cpu
    p50, p99 = np.percentile(walls, [50, 99]) * 1000
    return cpu / len(calls) * 1000, float(p50), float(p99)


async def _fill(stores: Stores, embedder: InProcessEmbedder, size: int) -> None:
    now = datetime.now(UTC)
    sentences = itertools.islice(_sentences("I {1} {2} in {3} {4}."), size)
    turns = [
        Memory(new_id(), text, None, None, str(n // _SESSION), {"speaker": speaker}, now, now)
        for n, (speaker, text) in enumerate(sentences)
    ]
    for start in range(0, size, _WRITTEN_AT_ONCE):
        batch = turns[start : start + _WRITTEN_AT_ONCE]
        async with stores.transaction() as transaction:
            for memory in batch:
                await transaction.add(memory, size)
        vectors = await embedder.embed([passages(memory)[0] for memory in batch], Purpose.PASSAGE, interactive=False)
        await stores.vectors.replace({memory.id: vectors[i : i + 1] for i, memory in enumerate(batch)})
    while entries := await stores.outbox.claim(_WRITTEN_AT_ONCE, now, timedelta(minutes=1)):
        await stores.outbox.finish(entries)


def _sentences(template: str) -> itertools.chain[tuple[str, str]]:
    """Speakers and sentences, in an order that mixes all words; the same in each run."""
    choices = list(itertools.product(_PEOPLE, _DEEDS, _THINGS, _PLACES, _TIMES))
    order = np.random.default_rng(0).permutation(len(choices))
    return itertools.chain((choices[i][0], template.format(*choices[i])) for i in order)


if __name__ == "__main__":
    sys.exit(main())
