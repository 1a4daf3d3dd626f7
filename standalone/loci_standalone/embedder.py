"""Adapter from the data plane's embedder port to a model in this process."""

from __future__ import annotations

from collections.abc import Sequence

from loci_dataplane.stores.embedding import EmbeddingModel, Purpose
from loci_dataplane.stores.errors import EmbedderUnavailableError
from loci_dataplane.stores.ports import Vector
from loci_embedder.batching import BusyError
from loci_embedder.serving import Model


class InProcessEmbedder:
    """Embedder that shares one model between all tenants."""

    def __init__(self, model: Model) -> None:
        self._served = model
        manifest = model.manifest
        self._model = EmbeddingModel(
            manifest.name, manifest.cosines.centre, manifest.cosines.width, manifest.english_only
        )

    async def embed(self, texts: Sequence[str], purpose: Purpose, *, interactive: bool) -> Vector:
        """Embed texts; vectors are in the order of the texts."""
        try:
            embedded = await self._served.embed(texts, purpose.value, interactive=interactive)
        except BusyError as error:
            raise EmbedderUnavailableError(type(error).__name__) from error
        return embedded.vectors

    async def model(self) -> EmbeddingModel:
        """Return the model."""
        return self._model
