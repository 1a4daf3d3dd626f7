"""The port of the embedder, which turns texts into unit vectors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from loci_dataplane.stores.ports import Vector


class Purpose(StrEnum):
    """Role of an embedded text; many models read queries and passages differently."""

    QUERY = "query"
    PASSAGE = "passage"


@dataclass(frozen=True, slots=True)
class EmbeddingModel:
    """An embedding model, as far as a search must know it.

    Args:
        name: vectors of models with different names are never compared.
        centre: the cosine of a query and a memory that is as likely relevant as not.
        width: the increase of a cosine that raises its evidence from 0.5 to 0.73.
        english_only: whether cosines of texts in other languages say little.
    """

    name: str
    centre: float
    width: float
    english_only: bool = False


class Embedder(Protocol):
    """Turns texts into unit vectors by one model. Any method may raise EmbedderUnavailableError."""

    async def embed(self, texts: Sequence[str], purpose: Purpose, *, interactive: bool) -> Vector:
        """Return vectors of shape (len(texts), dimension)."""

    async def model(self) -> EmbeddingModel:
        """Return the model; always the same one."""

    def of(self, model: str) -> Embedder:
        """Return the embedder of a model of the same service, which need not have it."""
