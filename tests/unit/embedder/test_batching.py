from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from loci_embedder.batching import Batcher, BusyError


class Lengths:
    """Encodes a text as its length; waits at the gate, keeps what came together, fails on `poison`."""

    def __init__(self) -> None:
        self.passes: list[list[str]] = []
        self.gate = threading.Event()
        self.entered = threading.Event()

    def encode(self, texts: Sequence[str]) -> tuple[NDArray[np.float32], int]:
        self.entered.set()
        self.gate.wait(30)
        self.passes.append(list(texts))
        if "poison" in texts:
            raise ValueError("poison")
        return np.array([[len(text)] for text in texts], dtype=np.float32), sum(map(len, texts))


async def occupied(batcher: Batcher, encoder: Lengths) -> asyncio.Task[object]:
    """A call that holds the worker until the gate opens."""
    first: asyncio.Task[object] = asyncio.create_task(batcher.embed(["first"], interactive=True))
    await asyncio.to_thread(encoder.entered.wait, 30)
    return first


async def queued(batcher: Batcher, texts: int) -> None:
    async with asyncio.timeout(30):
        while batcher.waiting < texts:  # noqa: ASYNC110 - a batcher tells nobody that a text waits
            await asyncio.sleep(0)


async def test_texts_that_wait_together_share_a_pass_and_interactive_ones_go_first() -> None:
    encoder = Lengths()
    async with Batcher(encoder) as batcher:
        first = await occupied(batcher, encoder)
        bulk = asyncio.create_task(batcher.embed(["bulk 1", "bulk 2", "bulk 3"], interactive=False))
        await queued(batcher, 3)
        others = [asyncio.create_task(batcher.embed([text], interactive=True)) for text in ("a", "bb")]
        await queued(batcher, 5)
        encoder.gate.set()
        await asyncio.gather(first, bulk, *others)
    assert encoder.passes == [["first"], ["a", "bb"], ["bulk 1", "bulk 2", "bulk 3"]]


async def test_long_texts_share_a_pass_with_few_others() -> None:
    encoder, long = Lengths(), ["x" * 1_999 + letter for letter in "abcdef"]
    async with Batcher(encoder) as batcher:
        first = await occupied(batcher, encoder)
        bulk = [asyncio.create_task(batcher.embed(texts, interactive=False)) for texts in (long[:3], long[3:])]
        await queued(batcher, 6)
        encoder.gate.set()
        vectors = [(await call).vectors.ravel().tolist() for call in bulk]
        await first
    assert vectors == [[2_000.0] * 3] * 2
    assert max(sum(map(len, texts)) for texts in encoder.passes) <= 4_096


async def test_a_long_call_is_cut_so_that_others_need_not_wait_for_it() -> None:
    encoder = Lengths()
    async with Batcher(encoder) as batcher:
        first = await occupied(batcher, encoder)
        long = asyncio.create_task(batcher.embed(["x" * i for i in range(100)], interactive=False))
        await queued(batcher, 100)
        encoder.gate.set()
        embedded = await long
        await first
    assert embedded.vectors[:, 0].tolist() == list(range(100))
    assert embedded.tokens == sum(range(100))
    assert max(map(len, encoder.passes)) == 32


async def test_refuses_more_than_may_wait() -> None:
    encoder = Lengths()
    async with Batcher(encoder, max_waiting=2) as batcher:
        first = await occupied(batcher, encoder)
        waiting = asyncio.create_task(batcher.embed(["a", "b"], interactive=True))
        await queued(batcher, 2)
        with pytest.raises(BusyError):
            await batcher.embed(["c"], interactive=True)
        encoder.gate.set()
        await asyncio.gather(first, waiting)
        assert (await batcher.embed(["c"], interactive=True)).tokens == 1


async def test_a_failure_reaches_its_callers_and_nobody_else() -> None:
    encoder = Lengths()
    encoder.gate.set()
    async with Batcher(encoder) as batcher:
        with pytest.raises(ValueError, match="poison"):
            await batcher.embed(["poison"], interactive=True)
        assert (await batcher.embed(["fine"], interactive=True)).tokens == 4


async def test_what_nobody_waits_for_any_more_is_not_computed() -> None:
    encoder = Lengths()
    async with Batcher(encoder) as batcher:
        first = await occupied(batcher, encoder)
        gone = asyncio.create_task(batcher.embed(["gone"], interactive=True))
        await queued(batcher, 1)
        gone.cancel()
        await asyncio.wait([gone])
        encoder.gate.set()
        await first
        await batcher.embed(["next"], interactive=True)
    assert ["gone"] not in encoder.passes


async def test_closing_leaves_no_caller_waiting() -> None:
    encoder = Lengths()
    batcher = Batcher(encoder)
    async with batcher:
        under_way = await occupied(batcher, encoder)
        waiting = asyncio.create_task(batcher.embed(["waiting"], interactive=True))
        await queued(batcher, 1)
        encoder.gate.set()
    await asyncio.wait([under_way, waiting], timeout=30)
    assert under_way.done()
    assert waiting.done()
