"""Generations of a tenant's vectors: each is made by one embedding model, and vectors of two models are never compared.

One generation serves. While another model is wanted, a second generation is built beside it, from the rows; when it is
complete and agrees with the first, it serves, and the first stays for a while, so that going back is as safe as going
forward: it loses what is deleted or changed, and a way back fills it up again. The record of this is replaced in one
step, so a crash at any point leaves one generation that serves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, Protocol

from loci_dataplane.model.erasure import Purge
from loci_dataplane.stores.vectors_port import Hit, Vector, Vectors

FIRST: Final = "memories"
"""The collection of a tenant's first generation."""
UNRECORDED: Final = "all-MiniLM-L6-v2-int8"
"""The model of vectors that were written before models were recorded."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A generation in the record: the model and the collection."""

    model: str
    collection: str


@dataclass(frozen=True, slots=True)
class Record:
    """Which generations there are; `switched_at` is when the previous one stopped serving."""

    serving: Entry | None = None
    building: Entry | None = None
    previous: Entry | None = None
    switched_at: datetime | None = None


class Place(Protocol):
    """Where a tenant's collections are kept, and the record of them."""

    async def read(self) -> Record:
        """Return the record; of vectors without one, the model that made them."""

    async def write(self, record: Record) -> None:
        """Replace the record in one step."""

    async def open(self, collection: str) -> Vectors:
        """Return a collection, made if it does not exist."""

    async def remove(self, collection: str) -> None:
        """Remove a collection; it may be missing."""

    @property
    def has_room(self) -> bool:
        """Whether there can be a second collection."""


@dataclass(frozen=True, slots=True)
class Generation:
    """Vectors of one model."""

    model: str
    vectors: Vectors


class Generations(Vectors):
    """The Vectors port on the generation that serves; deletions reach all of them."""

    def __init__(self, place: Place, record: Record, first: Vectors) -> None:
        self._place = place
        self._record = record
        self._open: dict[str, Vectors] = {(record.serving.collection if record.serving else FIRST): first}

    @property
    def serving(self) -> Generation | None:
        """The generation that is searched; None before `adopt`."""
        return self._generation(self._record.serving)

    @property
    def building(self) -> Generation | None:
        """The generation that will serve when it is complete."""
        return self._generation(self._record.building)

    @property
    def switched_at(self) -> datetime | None:
        """When the previous generation stopped serving, while it is kept."""
        return self._record.switched_at if self._record.previous else None

    @property
    def has_room(self) -> bool:
        """Whether another model's generation can be built."""
        return self._place.has_room

    async def adopt(self, model: str) -> Generation:
        """Return the generation that serves; a tenant without one gets an empty one of this model."""
        if self._record.serving is None:
            self._record = await self._place.read()
        if self._record.serving is None:
            await self._write(replace(self._record, serving=Entry(model, FIRST)))
        assert self.serving is not None
        return self.serving

    async def build(self, model: str) -> Generation:
        """Return the generation to build for a model; the previous one if it is of this model."""
        if self._record.building and self._record.building.model != model:
            await self.abandon()
        if self._record.building is None:
            entry = self._record.previous if self._of_previous(model) else Entry(model, self._free_name())
            assert entry is not None
            await self._opened(entry)
            await self._write(replace(self._record, building=entry))
        assert self._record.building is not None
        return Generation(model, await self._opened(self._record.building))

    async def abandon(self) -> None:
        """Stop building; remove what was built, unless it is the previous generation."""
        entry = self._record.building
        await self._write(replace(self._record, building=None))
        if entry and entry != self._record.previous:
            await self._remove(entry)

    async def switch(self, now: datetime) -> None:
        """Let the generation that was built serve; keep the one that served until now."""
        record = self._record
        await self._write(Record(serving=record.building, previous=record.serving, switched_at=now))
        if record.previous and record.previous != record.building:
            await self._remove(record.previous)

    async def retire(self) -> None:
        """Remove the previous generation."""
        entry = self._record.previous
        if entry and entry != self._record.building:
            await self._write(replace(self._record, previous=None, switched_at=None))
            await self._remove(entry)

    async def replace(self, parts: Mapping[str, Vector]) -> None:
        """Set all vectors of some memories; the previous generation loses what it has of them."""
        await self._serving().replace(parts)
        if (previous := self._record.previous) and previous != self._record.building:
            await (await self._opened(previous)).delete(list(parts))

    async def delete(self, ids: Sequence[str]) -> None:
        """Delete all vectors of some memories, in every generation."""
        for vectors in await self._all():
            await vectors.delete(ids)

    async def search(self, vector: Vector, limit: int, among: Sequence[str] | None) -> Sequence[Hit]:
        """Return the nearest memories, best first."""
        return await self._serving().search(vector, limit, among)

    async def count(self) -> int:
        """Return the number of memories that have vectors."""
        return await self._serving().count()

    async def check(self) -> None:
        """Raise StoreError unless the generation that serves can be read and written."""
        await self._serving().check()

    async def held(self, ids: Sequence[str]) -> Sequence[str]:
        """Return those of the memories that have vectors."""
        return await self._serving().held(ids)

    async def listed(self, after: str, limit: int) -> tuple[Sequence[str], str]:
        """Return ids of memories that have vectors, and the next cursor."""
        return await self._serving().listed(after, limit)

    async def purge(self, ids: Sequence[str]) -> Purge:
        """Remove from the files of every generation what deletion leaves there."""
        purges = [await vectors.purge(ids) for vectors in await self._all()]
        remaining = [purge.found for purge in purges]
        found = None if None in remaining else sum(number or 0 for number in remaining)
        return replace(purges[0], found=found)

    def _generation(self, entry: Entry | None) -> Generation | None:
        return (
            Generation(entry.model, self._open[entry.collection]) if entry and entry.collection in self._open else None
        )

    def _serving(self) -> Vectors:
        return self._open[self._record.serving.collection if self._record.serving else FIRST]

    def _of_previous(self, model: str) -> bool:
        return self._record.previous is not None and self._record.previous.model == model

    def _free_name(self) -> str:
        used = {entry.collection for entry in self._entries()}
        return next(name for number in range(2, 6) if (name := f"{FIRST}-{number}") not in used)

    def _entries(self) -> list[Entry]:
        record = self._record
        return [entry for entry in (record.serving, record.building, record.previous) if entry]

    async def _all(self) -> list[Vectors]:
        entries = dict.fromkeys(self._entries())
        return [await self._opened(entry) for entry in entries] or [self._serving()]

    async def _opened(self, entry: Entry) -> Vectors:
        if entry.collection not in self._open:
            self._open[entry.collection] = await self._place.open(entry.collection)
        return self._open[entry.collection]

    async def _remove(self, entry: Entry) -> None:
        self._open.pop(entry.collection, None)
        await self._place.remove(entry.collection)

    async def _write(self, record: Record) -> None:
        await self._place.write(record)
        self._record = record


async def generations(place: Place) -> Generations:
    """Open a tenant's generations."""
    record = await place.read()
    opened = Generations(place, record, await place.open(record.serving.collection if record.serving else FIRST))
    if record.building:
        await opened.build(record.building.model)
    return opened
