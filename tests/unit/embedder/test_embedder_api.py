from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Sequence

import httpx
import numpy as np
import pytest
from numpy.typing import NDArray

from loci_contract.errors import ErrorBody
from loci_embedder.app import create_app
from loci_embedder.batching import Batcher


class Halves:
    """Encodes every text as the same vector; fails on one."""

    def encode(self, texts: Sequence[str]) -> tuple[NDArray[np.float32], int]:
        if "canary-failure" in texts:
            raise RuntimeError("canary-failure")
        return np.full((len(texts), 4), 0.5, dtype=np.float32), 3 * len(texts)


@pytest.fixture
async def embedder() -> AsyncIterator[httpx.AsyncClient]:
    async with Batcher(Halves(), max_waiting=8) as batcher:
        transport = httpx.ASGITransport(create_app(batcher), raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://embedder") as client:
            yield client


async def test_answers_as_openai_does(embedder: httpx.AsyncClient) -> None:
    answer = await embedder.post("/v1/embeddings", json={"input": ["a", "b"], "model": "all-MiniLM-L6-v2-int8"})
    assert answer.json() == {
        "object": "list",
        "data": [{"object": "embedding", "index": i, "embedding": [0.5] * 4} for i in range(2)],
        "model": "all-MiniLM-L6-v2-int8",
        "usage": {"prompt_tokens": 6, "total_tokens": 6},
    }


async def test_base64_holds_little_endian_float32(embedder: httpx.AsyncClient) -> None:
    answer = await embedder.post("/v1/embeddings", json={"input": "a", "encoding_format": "base64"})
    raw = base64.b64decode(answer.json()["data"][0]["embedding"])
    assert np.frombuffer(raw, "<f4").tolist() == [0.5] * 4


async def test_too_many_texts_get_429_with_retry_after(embedder: httpx.AsyncClient) -> None:
    answer = await embedder.post("/v1/embeddings", json={"input": ["a"] * 9})
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
