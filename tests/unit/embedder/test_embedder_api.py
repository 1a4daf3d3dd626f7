from __future__ import annotations

import base64
import contextlib
from collections.abc import AsyncIterator, Sequence

import httpx
import numpy as np
import pytest
from numpy.typing import NDArray

from loci_contract.errors import ErrorBody
from loci_embedder.app import create_app
from loci_embedder.batching import Batcher
from loci_embedder.files import Places
from loci_embedder.manifest import Manifest
from loci_embedder.serving import Model, Models


class Halves:
    """Encodes every text as the same vector, keeps it; fails on one."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def encode(self, texts: Sequence[str]) -> tuple[NDArray[np.float32], int]:
        if any("canary-failure" in text for text in texts):
            raise RuntimeError("canary-failure")
        self.texts += texts
        return np.full((len(texts), 4), 0.5, dtype=np.float32), 3 * len(texts)


def manifest(name: str) -> Manifest:
    file = {"file": "any", "sha256": "0" * 64}
    cosines = {"centre": 0.8, "width": 0.1}
    made = {"name": name, "licence": "MIT", "format": "onnx", "weights": file, "dimension": 4, "max_tokens": 256}
    return Manifest.model_validate(
        {**made, "tokenizer": {"kind": "tokenizers", "source": file}, "cosines": cosines, "query_prefix": "ask "}
    )


@pytest.fixture
def halves() -> Halves:
    return Halves()


@pytest.fixture
async def embedder(halves: Halves) -> AsyncIterator[httpx.AsyncClient]:
    async with Batcher(halves, max_waiting=8) as batcher:
        models = Models(contextlib.AsyncExitStack(), Places())
        models._served |= {name: Model(manifest(name), batcher) for name in ("halves", "others")}
        transport = httpx.ASGITransport(create_app(models), raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://embedder") as client:
            yield client


async def test_answers_as_openai_does(embedder: httpx.AsyncClient) -> None:
    answer = await embedder.post("/v1/embeddings", json={"input": ["a", "b"], "model": "halves"})
    assert answer.json() == {
        "object": "list",
        "data": [{"object": "embedding", "index": i, "embedding": [0.5] * 4} for i in range(2)],
        "model": "halves",
        "usage": {"prompt_tokens": 6, "total_tokens": 6},
    }


async def test_base64_holds_little_endian_float32(embedder: httpx.AsyncClient) -> None:
    answer = await embedder.post("/v1/embeddings", json={"input": "a", "encoding_format": "base64"})
    raw = base64.b64decode(answer.json()["data"][0]["embedding"])
    assert np.frombuffer(raw, "<f4").tolist() == [0.5] * 4


async def test_too_many_texts_get_429_with_retry_after(embedder: httpx.AsyncClient) -> None:
    answer = await embedder.post("/v1/embeddings", json={"input": [str(n) for n in range(9)]})
    assert (answer.status_code, answer.json()["error"]) == (429, "rate_limit_exceeded")
    assert answer.headers["retry-after"] == str(answer.json()["retry_after"])
    assert "embedder_refused_total 1.0" in (await embedder.get("/metrics")).text


REFUSED = {
    "malformed JSON": (b"{", 400, "bad_request"),
    "invalid UTF-8": (b'{"input": "\xff"}', 400, "bad_request"),
    "wrong type": (b'{"input": 7}', 422, "validation_failed"),
    "empty": (b'{"input": ""}', 422, "validation_failed"),
    "no texts": (b'{"input": []}', 422, "validation_failed"),
    "another model": (b'{"input": "a", "model": "canary"}', 422, "validation_failed"),
    "failure of the model": (b'{"input": "canary-failure"}', 500, "internal_error"),
}


@pytest.mark.parametrize(("body", "status", "error"), REFUSED.values(), ids=REFUSED.keys())
async def test_errors_have_the_one_shape_and_repeat_nothing(
    embedder: httpx.AsyncClient, body: bytes, status: int, error: str
) -> None:
    answer = await embedder.post("/v1/embeddings", content=body, headers={"x-request-id": "req-1"})
    shape = ErrorBody.model_validate_json(answer.content)
    assert (answer.status_code, shape.error, shape.request_id) == (status, error, "req-1")
    assert "canary" not in answer.text


async def test_unknown_paths_and_methods_have_the_one_shape(embedder: httpx.AsyncClient) -> None:
    for answer, status in ((await embedder.get("/nothing"), 404), (await embedder.get("/v1/embeddings"), 405)):
        assert answer.status_code == status
        ErrorBody.model_validate_json(answer.content)


async def test_counts_texts_by_priority(embedder: httpx.AsyncClient) -> None:
    await embedder.post("/v1/embeddings", json={"input": "a"}, headers={"x-loci-priority": "bulk"})
    await embedder.post("/v1/embeddings", json={"input": ["a", "b"]})
    metrics = (await embedder.get("/metrics")).text
    assert 'embedder_texts_total{priority="bulk"} 1.0' in metrics
    assert 'embedder_texts_total{priority="interactive"} 2.0' in metrics
    assert (await embedder.get("/readyz")).status_code == (await embedder.get("/livez")).status_code == 200


async def test_a_query_and_a_passage_get_the_model_s_prefixes(embedder: httpx.AsyncClient, halves: Halves) -> None:
    for more in ({}, {"input_type": "passage"}, {"input_type": "query"}):
        assert (await embedder.post("/v1/embeddings", json={"input": "otter", **more})).is_success
    assert halves.texts == ["otter", "ask otter"]


async def test_each_model_is_listed_and_answers_by_its_name(embedder: httpx.AsyncClient) -> None:
    listed = (await embedder.get("/v1/models")).json()
    assert [model["id"] for model in listed["data"]] == ["halves", "others"]
    assert {"centre": 0.8, "width": 0.1, "dimension": 4, "english_only": False}.items() <= listed["data"][0].items()
    answer = await embedder.post("/v1/embeddings", json={"input": "a", "model": "others"})
    assert answer.json()["model"] == "others"


async def test_recent_texts_come_from_the_cache(embedder: httpx.AsyncClient, halves: Halves) -> None:
    for texts in (["a", "b", "a"], ["b", "c"]):
        answer = await embedder.post("/v1/embeddings", json={"input": texts})
        assert [entry["index"] for entry in answer.json()["data"]] == list(range(len(texts)))
    assert halves.texts == ["a", "b", "c"]
    assert answer.json()["usage"]["total_tokens"] == 3
    assert 'embedder_cache_hit_ratio{model="halves"} 0.4' in (await embedder.get("/metrics")).text
