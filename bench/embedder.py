"""Measure the embedder beside bare inference: texts a second and latency, with 1, 8 and 64 callers; CPU by model."""

from __future__ import annotations

import asyncio
import itertools
import sys
import time
from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from loci_dev.bench import Figure, figure, report
from loci_embedder.encoder import Encoder
from loci_embedder.loading import DEFAULT_MODEL, load
from loci_embedder.serving import Model, embedding_models

MODELS: Final = (DEFAULT_MODEL, "all-MiniLM-L6-v2-int8")
CALLERS: Final = (1, 8, 64)
_TEXTS: Final = 400
_NUMBERS: Final = itertools.count()


def main() -> int:
    """Measure both models bare, then the default model behind its queue."""
    report("embedder", [*_cpu(), *asyncio.run(_queue())])
    return 0


def _questions(number: int) -> list[str]:
    """Texts that occur once, so that no cache answers."""
    return [f"What did Ada say about her trip to Lisbon in the year {next(_NUMBERS)}?" for _ in range(number)]


def _turns(number: int) -> list[str]:
    said = "I moved to Lisbon in March, and the hills are killing my knees, so I bought an e-bike for the way to work. "
    more = "My sister Grace lands on Thursday evening with her two dogs, and nobody may have peanuts any more."
    return [f"Turn {next(_NUMBERS)}: {said}{more}" for _ in range(number)]


def _cpu() -> Iterator[Figure]:
    for name in MODELS:
        encoder = load(name)
        prefix = encoder.manifest.query_prefix
        yield figure(f"{name}: a question", _cost(encoder, [prefix + text for text in _questions(60)]), "ms CPU")
        prefix = encoder.manifest.passage_prefix
        yield figure(f"{name}: a turn of 60 tokens", _cost(encoder, [prefix + t for t in _turns(30)]), "ms CPU")


def _cost(encoder: Encoder, texts: Sequence[str]) -> float:
    started = time.process_time()
    for text in texts:
        encoder.encode([text])
    return (time.process_time() - started) / len(texts) * 1000


async def _queue() -> list[Figure]:
    figures: list[Figure] = []
    bare = _bare(load())
    async with embedding_models() as models:
        model = await models.get(DEFAULT_MODEL)
        for callers in CALLERS:
            rate, _ = await _asked(model, callers)
            figures.append(figure(f"{callers} callers: texts a second, beside bare inference", rate, "1/s", bare))
        _, idle = await _asked(model, 1)
        bulk = asyncio.create_task(_import(model))
        _, busy = await _asked(model, 1)
        bulk.cancel()
        await asyncio.gather(bulk, return_exceptions=True)
        figures.append(figure("p99 of a question during a bulk import, beside idle", busy, "ms", idle))
    return figures


def _bare(encoder: Encoder) -> float:
    texts = _questions(_TEXTS)
    started = time.perf_counter()
    for text in texts:
        encoder.encode([text])
    return len(texts) / (time.perf_counter() - started)


async def _asked(model: Model, callers: int) -> tuple[float, float]:
    """Return texts a second and the 99th percentile of the latency in milliseconds."""
    texts, latencies = iter(_questions(_TEXTS)), []

    async def call() -> None:
        for text in texts:
            started = time.perf_counter()
            await model.embed([text], "query", interactive=True)
            latencies.append(time.perf_counter() - started)

    started = time.perf_counter()
    await asyncio.gather(*(call() for _ in range(callers)))
    return _TEXTS / (time.perf_counter() - started), float(np.percentile(latencies, 99)) * 1000


async def _import(model: Model) -> None:
    while True:
        await model.embed(_turns(64), "passage", interactive=False)


if __name__ == "__main__":
    sys.exit(main())
