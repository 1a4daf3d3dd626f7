"""The embedder over HTTP: any service that speaks OpenAI's embeddings API, vectors as base64."""

from __future__ import annotations

import base64
from collections.abc import Sequence

import httpx
import numpy as np

from loci_contract import headers
from loci_dataplane.stores.errors import EmbedderUnavailableError
from loci_dataplane.stores.ports import Vector
from loci_runtime.tracing import outgoing


class HttpEmbedder:
    """The Embedder port on a pooled client whose base address is the embedder's."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def embed(self, texts: Sequence[str], *, interactive: bool) -> Vector:
        """Vectors of the texts, in order."""
        body = {"input": list(texts), "encoding_format": "base64"}
        priority = {} if interactive else {headers.PRIORITY: headers.PRIORITY_BULK}
        try:
            answer = await self._client.post("/v1/embeddings", json=body, headers={**priority, **outgoing()})
        except httpx.HTTPError as error:
            raise EmbedderUnavailableError(type(error).__name__) from error
        if not answer.is_success:
            raise EmbedderUnavailableError(f"status {answer.status_code}")
        rows = [base64.b64decode(entry["embedding"]) for entry in answer.json()["data"]]
        return np.frombuffer(b"".join(rows), dtype="<f4").reshape(len(texts), -1)
