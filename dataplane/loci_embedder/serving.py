"""The models that this process serves, each with a queue of its own."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from loci_embedder.batching import Batcher, Embedded
from loci_embedder.files import Places
from loci_embedder.loading import DEFAULT_MODEL, load
from loci_embedder.manifest import Manifest

InputType = Literal["query", "passage"]


@dataclass(frozen=True)
class Model:
    """A model in service."""

    manifest: Manifest
    batcher: Batcher

    async def embed(self, texts: Sequence[str], input_type: InputType, *, interactive: bool) -> Embedded:
        """Embed texts, each with the model's prefix for its type; raise BusyError when too many are waiting."""
        prefix = self.manifest.query_prefix if input_type == "query" else self.manifest.passage_prefix
        return await self.batcher.embed([prefix + text for text in texts], interactive=interactive)


@contextlib.asynccontextmanager
async def embedding_model(name: str = DEFAULT_MODEL) -> AsyncIterator[Model]:
    """Serve one model for the length of the block."""
    async with serving([name], Places()) as models:
        yield next(iter(models.values()))


Models = Mapping[str, Model]
"""By name; the first is the default."""


@contextlib.asynccontextmanager
async def serving(
    names: Sequence[str], places: Places, *, threads: int = 1, max_waiting: int = 1_024
) -> AsyncIterator[Models]:
    """Serve models for the length of the block.

    Args:
        names: names or folders of the models.
        places: where files that are not in the folders are found.
        threads: CPU threads of one forward pass.
        max_waiting: maximum number of texts that wait for a model.
    """
    async with contextlib.AsyncExitStack() as stack:
        models: dict[str, Model] = {}
        for name in names:
            encoder = await asyncio.to_thread(load, name, places, threads)
            batcher = await stack.enter_async_context(Batcher(encoder, max_waiting))
            models[encoder.manifest.name] = Model(encoder.manifest, batcher)
        yield models
