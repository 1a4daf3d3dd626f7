"""The real model."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx
import numpy as np
import pytest

from loci_dataplane.stores.errors import EmbedderUnavailableError
from loci_dataplane.stores.http_embedder import HttpEmbedder
from loci_dev.rigs import pod
from loci_dev.rigs.processes import free_port
from loci_embedder.batching import Batcher
from loci_embedder.encoder import DIMENSION, Encoder, ModelFileError

TEXTS = ["The cat sat on the mat.", "A feline rested on the rug.", "Interest rates rose in March."]


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return Encoder.load()


def test_texts_of_one_meaning_lie_together(encoder: Encoder) -> None:
    vectors, tokens = encoder.encode(TEXTS)
    cat, feline, rates = vectors
    assert vectors.shape == (3, DIMENSION)
    assert vectors.dtype == np.float32
    assert tokens == 27
    assert cat @ feline > 0.5
    assert cat @ rates < 0.2
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1)


def test_a_text_has_the_same_vector_alone_and_among_others(encoder: Encoder) -> None:
    long = [" ".join(TEXTS * n) for n in range(1, 60, 7)]
    together, _ = encoder.encode([*TEXTS, *long])
    for text, vector in zip([*TEXTS, *long], together, strict=True):
        (alone,), _ = encoder.encode([text])
        np.testing.assert_allclose(vector, alone, atol=1e-6)


def test_reads_all_of_a_text_that_is_longer_than_the_model_s_input(encoder: Encoder) -> None:
    filler = "The weather was fine and nothing of note happened on that day. " * 60
    (with_end, without, rates), _ = encoder.encode([filler + TEXTS[2] * 20, filler, TEXTS[2]])
    assert with_end @ rates > without @ rates + 0.1


def test_bounds_how_much_of_a_text_it_reads(encoder: Encoder) -> None:
    _, tokens = encoder.encode(["otter " * 30_000])
    assert tokens == 32 * 256


def test_takes_any_text(encoder: Encoder) -> None:
    vectors, _ = encoder.encode(["", " ", "\x00", "🦦" * 50, "ﬁ\u202e\u0301", "[CLS] [PAD] [SEP]"])
    assert np.isfinite(vectors).all()


def test_refuses_a_model_file_that_was_changed(tmp_path: Path) -> None:
    changed = tmp_path / "model.onnx"
    changed.write_bytes(b"not the model")
    with pytest.raises(ModelFileError, match=r"model\.onnx"):
        Encoder.load(path=changed)


async def test_over_http_comes_what_the_model_gives(encoder: Encoder, tmp_path: Path) -> None:
    expected, _ = encoder.encode(TEXTS)
    with pod.embedder(tmp_path) as url:
        async with httpx.AsyncClient(base_url=url) as client:
            vectors = await HttpEmbedder(client).embed(TEXTS, interactive=True)
    assert np.allclose(vectors, expected, atol=1e-6)


async def test_an_embedder_that_is_not_there_or_busy_is_unavailable(tmp_path: Path) -> None:
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{free_port()}") as client:
        with pytest.raises(EmbedderUnavailableError):
            await HttpEmbedder(client).embed(TEXTS, interactive=True)
    with pod.embedder(tmp_path, LOCI_MAX_WAITING="2") as url:
        async with httpx.AsyncClient(base_url=url) as client:
            with pytest.raises(EmbedderUnavailableError, match="429"):
                await HttpEmbedder(client).embed(TEXTS, interactive=True)


async def test_many_callers_each_get_their_own(encoder: Encoder) -> None:
    texts = [f"{text} {i}" for i in range(10) for text in TEXTS]
    async with Batcher(encoder) as batcher:
        answers = await asyncio.gather(*(batcher.embed([text], interactive=True) for text in texts))
    expected, _ = encoder.encode(texts)
    assert all(vector @ answer.vectors[0] > 0.98 for vector, answer in zip(expected, answers, strict=True))
