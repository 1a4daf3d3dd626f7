"""The Vectors port on a Chroma collection, wherever Chroma runs.

A memory's first part is stored under the memory's id, part n under an id made of both (`part_id`). The first part's
metadata has the number of parts, so that all ids of a memory are known from one lookup; an entry without metadata has
one part. `replace` first deletes parts that are no longer needed and then writes the others in one call: if the process
dies in between, the outbox entry is still there and the memory is indexed again.

Chroma's calls block, so each runs in the given thread pool. A search costs one query; more if parts of the same memory
push others out of the result. A search among some memories costs a lookup of their further parts, too: about 1 ms per
1,000 memories.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from typing import Any, Final, TypeVar

import numpy as np
from chromadb.errors import InternalError

from loci_dataplane.model.erasure import Purge
from loci_dataplane.stores.ports import Hit, Vector

Item = TypeVar("Item")
Result = TypeVar("Result")
Rebuild = Callable[[Sequence[str]], int]
"""Rebuilds the collection; takes deleted ids and returns how many of them its files still hold."""

_PARTS: Final = "parts"
_PART: Final = "part"
_MODEL: Final = "model"
_SEVERAL: Final = {_PARTS: {"$gt": 1}}
_WRITTEN_AT_ONCE: Final = 1_000
_IDS_AT_ONCE: Final = 30_000
"""Chroma keeps ids in SQLite, which binds at most 32,766 parameters."""
_WIDENING: Final = 4
_REBUILT_MAX: Final = 50_000
_MARKED: Final = "deleted vectors stay in its files, marked as deleted, until it is made anew"
_ON_SERVER: Final = f"the server's files are out of reach; {_MARKED}"


class ChromaVectors:
    """Vectors in one collection.

    Args:
        collection: returns the Chroma collection, with cosine distance; called in the thread.
        thread: where Chroma's blocking calls run.
        translate: makes the ports' error of an exception of Chroma.
        rebuild: rebuilds the collection and looks for ids in its files; None where these are out of reach.
    """

    def __init__(
        self,
        collection: Callable[[], Any],
        thread: Executor,
        translate: Callable[[Exception], Exception],
        rebuild: Rebuild | None = None,
    ) -> None:
        self._current = collection
        self._thread = thread
        self._translate = translate
        self._rebuild = rebuild
        self._failed: Exception | None = None
        self.model: str | None = None
        """The model that entries name when they are written."""

    @property
    def _collection(self) -> Any:
        return self._current()

    async def replace(self, parts: Mapping[str, Vector]) -> None:
        """Set all vectors of some memories."""
        await self._write(lambda: self._replace(parts))

    async def delete(self, ids: Sequence[str]) -> None:
        """Delete all vectors of some memories."""
        await self._write(lambda: self._delete(ids))

    async def search(self, vector: Vector, limit: int, among: Sequence[str] | None) -> Sequence[Hit]:
        """Return the nearest memories, best first."""
        return await self._run(lambda: self._nearest(vector, limit, among))

    async def count(self) -> int:
        """Return the number of memories that have vectors."""
        return await self._run(self._count)

    async def check(self) -> None:
        """Read; raise what the last write failed with."""
        await self._run(lambda: int(self._collection.count()))
        if self._failed is not None:
            raise self._failed

    async def made_by(self, unnamed: str) -> str | None:
        """Return the model that an entry names, `unnamed` if it names none; None without entries."""
        found = await self._run(lambda: self._collection.get(limit=1, include=["metadatas"]))
        return ((found["metadatas"][0] or {}).get(_MODEL) or unnamed) if found["ids"] else None

    async def held(self, ids: Sequence[str]) -> Sequence[str]:
        """Return those of the memories that have vectors."""
        return await self._run(lambda: self._held(ids))

    async def listed(self, after: str, limit: int) -> tuple[Sequence[str], str]:
        """Return the memories of some entries; the cursor is the number of entries before them."""
        offset = int(after or 0)
        found = await self._run(lambda: self._collection.get(limit=limit, offset=offset, include=[])["ids"])
        return list(dict.fromkeys(map(memory_of, found))), str(offset + limit) if len(found) == limit else ""

    async def purge(self, ids: Sequence[str]) -> Purge:
        """Rebuild the collection, if its files are local and it is not too large."""
        rebuild = self._rebuild
        if rebuild is None:
            return Purge("vectors deleted", None, _ON_SERVER)
        if (size := await self._run(lambda: int(self._collection.count()))) > _REBUILT_MAX:
            return Purge("vectors deleted", None, f"the index has {size} vectors and was not made anew; {_MARKED}")
        found = await self._run(lambda: rebuild(ids))
        return Purge("vectors deleted, index made anew, old files removed", found)

    def _held(self, ids: Sequence[str]) -> list[str]:
        found = (self._collection.get(ids=chunk, include=[])["ids"] for chunk in _chunks(ids, _IDS_AT_ONCE))
        return list(itertools.chain.from_iterable(found))

    def _replace(self, parts: Mapping[str, Vector]) -> None:
        held = self._further_parts(list(parts))
        stale = [part for memory_id, vectors in parts.items() for part in held.get(memory_id, ())[len(vectors) - 1 :]]
        self._delete_entries(stale)
        for batch in _batches(parts):
            entries = [(memory_id, part) for memory_id in batch for part in range(len(parts[memory_id]))]
            self._collection.upsert(
                ids=[part_id(memory_id, part) for memory_id, part in entries],
                embeddings=np.concatenate([parts[memory_id] for memory_id in batch]),
                metadatas=[self._metadata(part, len(parts[memory_id])) for memory_id, part in entries],
            )

    def _metadata(self, part: int, parts: int) -> dict[str, str | int]:
        named = {_MODEL: self.model} if self.model else {}
        return {_PART: part, **named} if part else {_PART: 0, _PARTS: parts, **named}

    def _delete(self, ids: Sequence[str]) -> None:
        held = self._further_parts(ids)
        # Further parts go first: without the first part, nothing would tell of them after a crash.
        self._delete_entries([part for parts in held.values() for part in parts])
        self._delete_entries(ids)

    def _delete_entries(self, ids: Sequence[str]) -> None:
        for chunk in _chunks(ids, _WRITTEN_AT_ONCE):
            self._collection.delete(ids=chunk)

    def _further_parts(self, ids: Sequence[str] | None) -> dict[str, list[str]]:
        """Return the ids of all parts but the first, by memory, of those memories that have several."""
        held: dict[str, list[str]] = {}
        for chunk in [None] if ids is None else _chunks(ids, _IDS_AT_ONCE):
            found = self._collection.get(ids=chunk, where=_SEVERAL, include=["metadatas"])
            for memory_id, metadata in zip(found["ids"], found["metadatas"], strict=True):
                held[memory_id] = [part_id(memory_id, part) for part in range(1, metadata[_PARTS])]
        return held

    def _count(self) -> int:
        further = sum(len(parts) for parts in self._further_parts(None).values())
        return int(self._collection.count()) - further

    def _nearest(self, vector: Vector, limit: int, among: Sequence[str] | None) -> Sequence[Hit]:
        if among is None:
            return self._best(vector, limit, None)
        ids = [*among, *itertools.chain.from_iterable(self._further_parts(among).values())] if among else []
        found = [self._best(vector, limit, chunk) for chunk in _chunks(ids, _IDS_AT_ONCE)]
        return _merged(itertools.chain.from_iterable(found))[:limit]

    def _best(self, vector: Vector, limit: int, ids: list[str] | None) -> list[Hit]:
        """Return the nearest memories; asks for more entries as long as parts of the same memories take the places."""
        wanted = limit
        while True:
            entries = self._query(vector, wanted, ids)
            hits = _merged(entries)
            if len(hits) >= limit or len(entries) < wanted:
                return hits[:limit]
            wanted *= _WIDENING

    def _query(self, vector: Vector, limit: int, ids: list[str] | None) -> list[Hit]:
        try:
            found = self._collection.query(
                query_embeddings=vector[None, :], n_results=limit, ids=ids, include=["distances"]
            )
        except InternalError:  # Chroma's error for an id that it does not hold: a memory that is not indexed yet
            held = self._collection.get(ids=ids, include=[])["ids"] if ids else ids
            if held == ids:
                raise
            return self._query(vector, limit, held) if held else []
        pairs = zip(found["ids"][0], found["distances"][0], strict=True)
        return [Hit(memory_of(entry), 1.0 - distance) for entry, distance in pairs]

    async def _write(self, work: Callable[[], Result]) -> Result:
        try:
            result = await self._run(work)
        except Exception as error:
            self._failed = error
            raise
        self._failed = None
        return result

    async def _run(self, work: Callable[[], Result]) -> Result:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        except Exception as error:
            raise self._translate(error) from error


def part_id(memory_id: str, part: int) -> str:
    """Return the id of one part's entry; the separator occurs in no memory's id."""
    return f"{memory_id}\x1f{part}" if part else memory_id


def memory_of(entry: str) -> str:
    """Return the id of the memory that an entry belongs to."""
    return entry.partition("\x1f")[0]


def _merged(hits: Iterable[Hit]) -> list[Hit]:
    """Return each memory once, with its best part, best first."""
    best: dict[str, Hit] = {}
    for hit in hits:
        if hit.memory_id not in best or best[hit.memory_id].score < hit.score:
            best[hit.memory_id] = hit
    return sorted(best.values(), key=lambda hit: -hit.score)


def _batches(parts: Mapping[str, Vector]) -> Iterator[list[str]]:
    """Group memories into writes of a bounded size; all parts of a memory go into the same one."""
    batch: list[str] = []
    size = 0
    for memory_id, vectors in parts.items():
        if batch and size + len(vectors) > _WRITTEN_AT_ONCE:
            yield batch
            batch, size = [], 0
        batch.append(memory_id)
        size += len(vectors)
    if batch:
        yield batch


def _chunks(items: Sequence[Item], size: int) -> Iterator[list[Item]]:
    for start in range(0, len(items), size):
        yield list(items[start : start + size])
