"""From texts to unit vectors: tokenizer, network and pooling of one model. Synchronous, without network access."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from loci_embedder.manifest import Manifest
from loci_embedder.networks import Network
from loci_embedder.tokens import TextTokenizer

Vectors = NDArray[np.float32]


class Encoder:
    """Encodes texts; not thread-safe."""

    def __init__(self, manifest: Manifest, network: Network, tokenizer: TextTokenizer) -> None:
        self.manifest = manifest
        self._network = network
        self._tokenizer = tokenizer

    def encode(self, texts: Sequence[str]) -> tuple[Vectors, int]:
        """Return unit vectors of shape (len(texts), dimension), in order, and the number of tokens read.

        Texts have the model's prefixes already. One that is longer than the model's input is read in windows; its
        vector is their mean, weighted by tokens. Inputs are not batched: activations are quantized over the whole
        tensor, so a vector would depend on the texts beside it, and on one core a batch is no faster.
        """
        vectors = np.empty((len(texts), self.manifest.dimension), np.float32)
        tokens = 0
        for row, text in enumerate(texts):
            inputs = self._tokenizer.inputs(text)
            vectors[row] = self._unit([(self._pooled(ids), len(ids)) for ids in inputs])
            tokens += sum(map(len, inputs))
        return vectors, tokens

    def _pooled(self, ids: Sequence[int]) -> Vectors:
        states = self._network.states(ids)
        pooled: Vectors = states[0] if self.manifest.pooling == "first" else states.mean(axis=0)
        unit: Vectors = pooled / np.linalg.norm(pooled)
        return unit

    @staticmethod
    def _unit(windows: Sequence[tuple[Vectors, int]]) -> Vectors:
        total = sum((vector * length for vector, length in windows), np.zeros_like(windows[0][0]))
        unit: Vectors = total / np.linalg.norm(total)
        return unit
