"""Dynamic batching: waiting texts share a forward pass, interactive ones before bulk ones, in a bounded queue.

A call is split into pieces, bounded by number and length of their texts. One worker takes the pieces of one priority,
up to a bound, and encodes them in a thread of its own, so an interactive text waits for at most one batch that is under
way: about 0.2 s of CPU. Failure modes: a full queue raises `BusyError` at once; an error of the encoder reaches every
caller of its batch; texts whose caller has gone are skipped.

Vectors of recent texts are cached by the texts' digests.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final, Protocol, Self

import numpy as np
from cachetools import LRUCache
from numpy.typing import NDArray

_PIECE: Final = 8
"""Maximum number of texts of one call in a batch; long calls are split so that interactive ones can go in between."""
_BATCH: Final = 32
"""Maximum number of texts in a batch."""
_CHARACTERS: Final = 4_096
"""Maximum length of a batch's texts together, unless a single one is longer: the CPU time grows with it."""


_CACHED: Final = 4_096
"""Vectors of recent texts that are kept: 6 MB at 384 dimensions."""


class BusyError(Exception):
    """Too many texts are waiting; retry after `retry_after` seconds."""

    retry_after = 1


class TextEncoder(Protocol):
    """The port of the model: `Encoder`, or a fake in tests."""

    def encode(self, texts: Sequence[str]) -> tuple[NDArray[np.float32], int]:
        """Return vectors of shape (len(texts), dimension) and the number of tokens."""


@dataclass(frozen=True)
class Embedded:
    """Vectors of shape (texts, dimension), in order, and the number of tokens read; cached texts are not read."""

    vectors: NDArray[np.float32]
    tokens: int


@dataclass(frozen=True)
class _Piece:
    texts: Sequence[str]
    result: asyncio.Future[Embedded]

    @property
    def characters(self) -> int:
        return sum(map(len, self.texts))


class Batcher:
    """Runs an encoder in a thread; use it as an async context manager."""

    def __init__(self, encoder: TextEncoder, max_waiting: int = 1_024) -> None:
        self._encoder = encoder
        self._max_waiting = max_waiting
        self._interactive: deque[_Piece] = deque()
        self._bulk: deque[_Piece] = deque()
        self._arrived = asyncio.Event()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="encoder")
        self._worker: asyncio.Task[None] | None = None
        self._cache: LRUCache[bytes, NDArray[np.float32]] = LRUCache(_CACHED)
        self._hits = 0
        self._texts = 0

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
        """Number of waiting texts."""
        return sum(len(piece.texts) for piece in (*self._interactive, *self._bulk))

    def hit_ratio(self) -> float:
        """Share of texts whose vectors were in the cache, 0 to 1."""
        return self._hits / max(1, self._texts)

    async def embed(self, texts: Sequence[str], *, interactive: bool) -> Embedded:
        """Embed texts, interactive ones before bulk ones; raise BusyError when too many are waiting."""
        keys = [hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest() for text in texts]
        held = {key: self._cache[key] for key in keys if key in self._cache}
        missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in held}
        self._texts += len(texts)
        self._hits += len(texts) - len(missing)
        if not missing:
            return Embedded(np.stack([held[key] for key in keys]), 0)
        made = await self._embed(list(missing.values()), interactive=interactive)
        fresh = dict(zip(missing, made.vectors, strict=True))
        self._cache.update(fresh)
        return Embedded(np.stack([(held | fresh)[key] for key in keys]), made.tokens)

    async def _embed(self, texts: Sequence[str], *, interactive: bool) -> Embedded:
        if self.waiting + len(texts) > self._max_waiting:
            raise BusyError
        loop = asyncio.get_running_loop()
        pieces = [_Piece(piece, loop.create_future()) for piece in _pieces(texts)]
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
            except Exception as error:  # noqa: BLE001 - any error of the model goes to the callers of the batch
                _fail(pieces, error)
                continue
            _resolve(pieces, vectors, tokens)

    def _next_batch(self) -> list[_Piece]:
        """Take the pieces of the next batch, all of one priority: bulk texts would slow interactive ones down."""
        queue = self._interactive or self._bulk
        pieces: list[_Piece] = []
        while queue and (not pieces or _fits([*pieces, queue[0]])):
            piece = queue.popleft()
            if not piece.result.done():  # the caller has gone
                pieces.append(piece)
        return pieces


def _fits(pieces: Sequence[_Piece]) -> bool:
    return (
        sum(len(piece.texts) for piece in pieces) <= _BATCH and sum(piece.characters for piece in pieces) <= _CHARACTERS
    )


def _pieces(texts: Sequence[str]) -> Iterator[Sequence[str]]:
    """Split the texts of a call into pieces that fit a batch."""
    piece: list[str] = []
    for text in texts:
        if piece and (len(piece) == _PIECE or sum(map(len, piece)) + len(text) > _CHARACTERS):
            yield piece
            piece = []
        piece.append(text)
    if piece:
        yield piece


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
