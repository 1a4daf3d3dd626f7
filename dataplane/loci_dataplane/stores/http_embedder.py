"""The embedder over HTTP: Loci's own, or any service that speaks OpenAI's embeddings API.

Loci's embedder describes its model (`GET /v1/models`) and puts the model's prefixes before texts itself. Of another
service the settings tell the model, and the prefixes are added here.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import httpx
import numpy as np

from loci_contract import headers
from loci_dataplane.stores.embedding import EmbeddingModel, Purpose
from loci_dataplane.stores.errors import EmbedderRejectedError, EmbedderUnavailableError
from loci_dataplane.stores.ports import Vector
from loci_runtime.tracing import outgoing

_REJECTIONS: Final = frozenset({400, 413, 422})
"""Statuses that speak of the texts, not of the embedder."""


@dataclass(frozen=True)
class RemoteModel:
    """The model of a service that does not describe it.

    Args:
        model: its name there, and how to read its cosines.
        query_prefix: what the model wants before a query.
        passage_prefix: the same before a stored text.
        api_key: bearer token.
    """

    model: EmbeddingModel
    query_prefix: str = ""
    passage_prefix: str = ""
    api_key: str | None = field(default=None, repr=False)

    def prefixed(self, texts: Sequence[str], purpose: Purpose) -> list[str]:
        """Return the texts as the model wants them."""
        prefix = self.query_prefix if purpose is Purpose.QUERY else self.passage_prefix
        return [prefix + text for text in texts]


class HttpEmbedder:
    """The Embedder port on a pooled client whose base address is the embedder's.

    Args:
        client: the client.
        name: name of the model; the service's first one by default.
        remote: the model, when the service is not Loci's embedder.
    """

    def __init__(self, client: httpx.AsyncClient, name: str | None = None, remote: RemoteModel | None = None) -> None:
        self._client = client
        self._name = name
        self._remote = remote
        self._others: dict[str, HttpEmbedder] = {}
        self._model = remote.model if remote else None

    async def embed(self, texts: Sequence[str], purpose: Purpose, *, interactive: bool) -> Vector:
        """Return unit vectors of the texts, in order."""
        sent = {"Authorization": f"Bearer {self._remote.api_key}"} if self._remote and self._remote.api_key else {}
        if not interactive:
            sent[headers.PRIORITY] = headers.PRIORITY_BULK
        answer = await self._ask("POST", "/v1/embeddings", await self._body(texts, purpose), {**sent, **outgoing()})
        return _vectors(answer, len(texts))

    async def model(self) -> EmbeddingModel:
        """Return the model; the service is asked once."""
        if self._model is None:
            answer = await self._ask("GET", "/v1/models", None, outgoing())
            self._model = _described(answer, self._name)
        return self._model

    def of(self, model: str) -> HttpEmbedder:
        """Return the embedder of another model of the service."""
        if self._remote or model == self._name:
            return self
        if model not in self._others:
            self._others[model] = HttpEmbedder(self._client, model)
        return self._others[model]

    async def _body(self, texts: Sequence[str], purpose: Purpose) -> dict[str, Any]:
        body: dict[str, Any] = {"model": (await self.model()).name, "encoding_format": "base64"}
        if self._remote:
            return {**body, "input": self._remote.prefixed(texts, purpose)}
        return {**body, "input": list(texts), "input_type": purpose.value}

    async def _ask(self, method: str, path: str, body: object, sent: dict[str, str]) -> Any:
        try:
            answer = await self._client.request(method, path, json=body, headers=sent)
            if answer.status_code in _REJECTIONS:
                raise EmbedderRejectedError(f"status {answer.status_code}")
            if not answer.is_success:
                raise EmbedderUnavailableError(f"status {answer.status_code}")
            return answer.json()
        except (httpx.HTTPError, ValueError) as error:
            raise EmbedderUnavailableError(type(error).__name__) from error


def _described(answer: Any, name: str | None) -> EmbeddingModel:
    try:
        model = next(m for m in answer["data"] if name in (None, m["id"]))
        return EmbeddingModel(model["id"], model["centre"], model["width"], model["english_only"])
    except (KeyError, TypeError, StopIteration) as error:
        raise EmbedderUnavailableError("the embedder does not describe the model") from error


def _vectors(answer: Any, number: int) -> Vector:
    try:
        rows = [_row(entry["embedding"]) for entry in sorted(answer["data"], key=lambda entry: entry["index"])]
        vectors = np.stack(rows).reshape(number, -1)
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    except (KeyError, TypeError, ValueError) as error:
        raise EmbedderUnavailableError("the answer is not that of an embeddings API") from error
    if not (np.isfinite(lengths).all() and lengths.all()):
        raise EmbedderUnavailableError("the answer has a vector without direction")
    unit: Vector = (vectors / lengths).astype(np.float32)
    return unit


def _row(embedding: str | Sequence[float]) -> Vector:
    """A vector; some services send numbers although base64 is asked for."""
    if isinstance(embedding, str):
        return np.frombuffer(base64.b64decode(embedding), dtype="<f4")
    return np.array(embedding, dtype=np.float32)
