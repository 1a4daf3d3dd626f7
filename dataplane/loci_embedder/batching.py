"""Dynamic batching: texts that wait together share a forward pass, interactive ones first, and the queue is bounded."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final, Protocol, Self

import numpy as np
from numpy.typing import NDArray

_PIECE: Final = 8
"""Texts of one call that go together: a long call is cut, so that an interactive one need not wait for all of it."""
_BATCH: Final = 32
"""Texts that share a pass through the worker."""


class BusyError(Exception):
    """Too many texts are waiting; try again in `retry_after` seconds."""

    retry_after = 1


class TextEncoder(Protocol):
    """What is batched: `Encoder`, or a stand-in."""

    def encode(self, texts: Sequence[str]) -> tuple[NDArray[np.float32], int]:
        """Vectors of shape (len(texts), dimension) and the number of tokens."""


@dataclass(frozen=True)
class Embedded:
    """Vectors of shape (texts, dimension), in order, and the tokens they took."""

    vectors: NDArray[np.float32]
    tokens: int


@dataclass(frozen=True)
class _Piece:
    texts: Sequence[str]
    result: asyncio.Future[Embedded]


class Batcher:
    """Runs an encoder in one thread of its own; an async context manager."""

    def __init__(self, encoder: TextEncoder, max_waiting: int = 1_024) -> None:
        self._encoder = encoder
        self._max_waiting = max_waiting
        self._interactive: deque[_Piece] = deque()
        self._bulk: deque[_Piece] = deque()
        self._arrived = asyncio.Event()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="encoder")
        self._worker: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._worker = asyncio.create_task(self._work())
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._worker is not None
        self._worker.cancel()
        await asyncio.gather(self._worker, return_exceptions=True)
        for piece in (*self._interactive, *self._bulk):
            piece.result.cancel()
        self._thread.shutdown(wait=True)

    @property
    def waiting(self) -> int:
        """Texts that wait now."""
        return sum(len(piece.texts) for piece in (*self._interactive, *self._bulk))

    async def embed(self, texts: Sequence[str], *, interactive: bool) -> Embedded:
        """Embed texts, before all bulk ones when interactive; BusyError when too many wait."""
        if self.waiting + len(texts) > self._max_waiting:
            raise BusyError
        loop = asyncio.get_running_loop()
        pieces = [_Piece(texts[i : i + _PIECE], loop.create_future()) for i in range(0, len(texts), _PIECE)]
        (self._interactive if interactive else self._bulk).extend(pieces)
        self._arrived.set()
        done = await asyncio.gather(*(piece.result for piece in pieces))
        return Embedded(np.concatenate([d.vectors for d in done]), sum(d.tokens for d in done))

    async def _work(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await self._arrived.wait()
            pieces = self._next_batch()
            if not pieces:
                self._arrived.clear()
                continue
            texts = [text for piece in pieces for text in piece.texts]
            try:
                vectors, tokens = await loop.run_in_executor(self._thread, self._encoder.encode, texts)
            except asyncio.CancelledError:
                _fail(pieces, BusyError())
                raise
            except Exception as error:  # noqa: BLE001 - the edge to the model: its callers get what it raised
                _fail(pieces, error)
                continue
            _resolve(pieces, vectors, tokens)

    def _next_batch(self) -> list[_Piece]:
        """The pieces of the next pass: never bulk beside interactive ones, which would wait for it."""
        queue = self._interactive or self._bulk
        pieces: list[_Piece] = []
        size = 0
        while queue and (not pieces or size + len(queue[0].texts) <= _BATCH):
            piece = queue.popleft()
            if not piece.result.done():  # its caller went away
                pieces.append(piece)
                size += len(piece.texts)
        return pieces


def _resolve(pieces: Sequence[_Piece], vectors: NDArray[np.float32], tokens: int) -> None:
    start, total = 0, len(vectors)
    for piece in pieces:
        end = start + len(piece.texts)
        share = round(tokens * end / total) - round(tokens * start / total)
        if not piece.result.done():
            piece.result.set_result(Embedded(vectors[start:end], share))
        start = end


def _fail(pieces: Sequence[_Piece], error: Exception) -> None:
    for piece in pieces:
        if not piece.result.done():
            piece.result.set_exception(error)
