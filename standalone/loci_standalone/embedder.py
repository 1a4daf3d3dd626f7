"""Adapter from the data plane's embedder port to a model in this process."""

from __future__ import annotations

from collections.abc import Sequence

from loci_dataplane.stores.embedding import EmbeddingModel, Purpose
from loci_dataplane.stores.errors import EmbedderUnavailableError
from loci_dataplane.stores.ports import Vector
from loci_embedder.batching import BusyError
from loci_embedder.manifest import ModelError
from loci_embedder.serving import Models


class InProcessEmbedder:
    """Embedder that shares its models between all tenants; others than the default are loaded on demand."""

    def __init__(self, models: Models, name: str | None = None) -> None:
        self._models = models
        self._name = name or models.default

    async def embed(self, texts: Sequence[str], purpose: Purpose, *, interactive: bool) -> Vector:
        """Embed texts; vectors are in the order of the texts."""
        try:
            model = await self._models.get(self._name)
            embedded = await model.embed(texts, purpose.value, interactive=interactive)
        except (BusyError, ModelError) as error:
            raise EmbedderUnavailableError(type(error).__name__) from error
        return embedded.vectors

    async def model(self) -> EmbeddingModel:
        """Return the model."""
        try:
            manifest = (await self._models.get(self._name)).manifest
        except ModelError as error:
            raise EmbedderUnavailableError(type(error).__name__) from error
        cosines = manifest.cosines
        return EmbeddingModel(manifest.name, cosines.centre, cosines.width, manifest.english_only)

    def of(self, model: str) -> InProcessEmbedder:
        """Return the embedder of another model."""
        return self if model == self._name else InProcessEmbedder(self._models, model)
