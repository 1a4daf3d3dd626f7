"""The models that this process serves, each with a queue of its own."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
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


class Models:
    """Models in service, by name; the first is the default."""

    def __init__(
        self, stack: contextlib.AsyncExitStack, places: Places, *, threads: int = 1, max_waiting: int = 1_024
    ) -> None:
        self._stack = stack
        self._places = places
        self._threads = threads
        self._max_waiting = max_waiting
        self._served: dict[str, Model] = {}
        self._loading = asyncio.Lock()

    @property
    def default(self) -> str:
        """Name of the default model."""
        return next(iter(self._served))

    def served(self) -> Sequence[Model]:
        """Return the models that are loaded."""
        return tuple(self._served.values())

    def find(self, name: str | None) -> Model | None:
        """Return a model that is loaded, the default one for None; None if there is none of this name."""
        return self._served.get(name or self.default)

    async def get(self, name: str) -> Model:
        """Return a model by its name, loaded if it is not; raise ModelError."""
        async with self._loading:
            if name not in self._served:
                await self.start([name])
        return self._served[name]

    async def start(self, names: Sequence[str]) -> None:
        """Load models and start their queues; raise ModelError."""
        for name in names:
            encoder = await asyncio.to_thread(load, name, self._places, self._threads)
            batcher = await self._stack.enter_async_context(Batcher(encoder, self._max_waiting))
            self._served[encoder.manifest.name] = Model(encoder.manifest, batcher)


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
        models = Models(stack, places, threads=threads, max_waiting=max_waiting)
        await models.start(names)
        yield models


@contextlib.asynccontextmanager
async def embedding_models(name: str = DEFAULT_MODEL) -> AsyncIterator[Models]:
    """Serve one model for the length of the block, and others once they are asked for."""
    async with serving([name], Places()) as models:
        yield models
