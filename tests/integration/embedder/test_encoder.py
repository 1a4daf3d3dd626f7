"""The included models."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx
import numpy as np
import pytest

from loci_dataplane.stores.embedding import Purpose
from loci_dataplane.stores.errors import EmbedderUnavailableError
from loci_dataplane.stores.http_embedder import HttpEmbedder
from loci_dev.rigs import pod
from loci_dev.rigs.processes import free_port
from loci_embedder.batching import Batcher
from loci_embedder.encoder import Encoder
from loci_embedder.loading import DEFAULT_MODEL, load

MINILM = "all-MiniLM-L6-v2-int8"
TEXTS = ["The cat sat on the mat.", "A feline rested on the rug.", "Interest rates rose in March."]


@pytest.fixture(scope="module", params=[DEFAULT_MODEL, MINILM])
def encoder(request: pytest.FixtureRequest) -> Encoder:
    return load(request.param)


def passages(encoder: Encoder, texts: list[str]) -> list[str]:
    return [encoder.manifest.passage_prefix + text for text in texts]


def test_texts_of_one_meaning_lie_together(encoder: Encoder) -> None:
    vectors, tokens = encoder.encode(passages(encoder, TEXTS))
    cat, feline, rates = vectors
    assert vectors.shape == (3, encoder.manifest.dimension)
    assert vectors.dtype == np.float32
    assert 20 < tokens < 60
    assert cat @ feline > cat @ rates + 2 * encoder.manifest.cosines.width
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1)


def test_the_default_model_understands_other_languages() -> None:
    encoder = load()
    questions = ["query: Welches Tier schläft?", "query: 誰が昇進しましたか", "query: أين تعيش أختي؟"]
    memories = [
        "passage: Die Katze liegt auf dem Sofa.",
        "passage: 佐藤さんが部長になった。",
        "passage: تسكن أختي في بيروت.",
    ]
    cosines = encoder.encode(questions)[0] @ encoder.encode(memories)[0].T
    assert cosines.argmax(axis=1).tolist() == [0, 1, 2]


def test_a_text_has_the_same_vector_alone_and_among_others(encoder: Encoder) -> None:
    long = [" ".join(TEXTS * n) for n in range(1, 60, 7)]
    together, _ = encoder.encode([*TEXTS, *long])
    for text, vector in zip([*TEXTS, *long], together, strict=True):
        (alone,), _ = encoder.encode([text])
        np.testing.assert_allclose(vector, alone, atol=1e-6)


def test_reads_all_of_a_text_that_is_longer_than_the_model_s_input(encoder: Encoder) -> None:
    filler = "The weather was fine and nothing of note happened on that day. " * 60
    texts = passages(encoder, [filler + TEXTS[2] * 20, filler, TEXTS[2]])
    (with_end, without, rates), _ = encoder.encode(texts)
    assert with_end @ rates > without @ rates + encoder.manifest.cosines.width / 2


def test_bounds_how_much_of_a_text_it_reads(encoder: Encoder) -> None:
    _, tokens = encoder.encode(["otter " * 30_000])
    assert tokens == 32 * 256


def test_takes_any_text(encoder: Encoder) -> None:
    vectors, _ = encoder.encode(["", " ", "\x00", "\ud800", "🦦" * 50, "ﬁ\u202e\u0301", "[CLS] [PAD] [SEP] <s> </s>"])
    assert np.isfinite(vectors).all()


async def test_over_http_comes_what_the_models_give(tmp_path: Path) -> None:
    with pod.embedder(tmp_path, LOCI_MODELS=f"{DEFAULT_MODEL},{MINILM}") as url:
        async with httpx.AsyncClient(base_url=url) as client:
            for name in (DEFAULT_MODEL, MINILM):
                embedder, encoder = HttpEmbedder(client, name), load(name)
                vectors = await embedder.embed(TEXTS, Purpose.PASSAGE, interactive=True)
                assert np.allclose(vectors, encoder.encode(passages(encoder, TEXTS))[0], atol=1e-6)
                model, cosines = await embedder.model(), encoder.manifest.cosines
                assert (model.name, model.centre, model.width) == (name, cosines.centre, cosines.width)


async def test_an_embedder_that_is_not_there_or_busy_is_unavailable(tmp_path: Path) -> None:
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{free_port()}") as client:
        with pytest.raises(EmbedderUnavailableError):
            await HttpEmbedder(client).embed(TEXTS, Purpose.QUERY, interactive=True)
    with pod.embedder(tmp_path, LOCI_MAX_WAITING="2") as url:
        async with httpx.AsyncClient(base_url=url) as client:
            with pytest.raises(EmbedderUnavailableError, match="429"):
                await HttpEmbedder(client).embed(TEXTS, Purpose.QUERY, interactive=True)
            with pytest.raises(EmbedderUnavailableError, match="describe"):
                await HttpEmbedder(client, "another").embed(TEXTS, Purpose.QUERY, interactive=True)


async def test_many_callers_each_get_their_own(encoder: Encoder) -> None:
    texts = [f"{text} {i}" for i in range(10) for text in TEXTS]
    async with Batcher(encoder) as batcher:
        answers = await asyncio.gather(*(batcher.embed([text], interactive=True) for text in texts))
    expected, _ = encoder.encode(texts)
    for vector, answer in zip(expected, answers, strict=True):
        np.testing.assert_allclose(vector, answer.vectors[0], atol=1e-6)
