"""Adapter from the data plane's embedder port to the in-process batcher."""

from __future__ import annotations

from collections.abc import Sequence

from loci_dataplane.stores.errors import EmbedderUnavailableError
from loci_dataplane.stores.ports import Vector
from loci_embedder.batching import Batcher, BusyError


class InProcessEmbedder:
    """Embedder that shares one model between all tenants."""

    def __init__(self, batcher: Batcher) -> None:
        self._batcher = batcher

    async def embed(self, texts: Sequence[str], *, interactive: bool) -> Vector:
        """Embed texts; vectors are in the order of the texts."""
        try:
            return (await self._batcher.embed(texts, interactive=interactive)).vectors
        except BusyError as error:
            raise EmbedderUnavailableError(type(error).__name__) from error
