"""Storing, reading and changing memories."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from loci_contract.registry import Limits
from loci_dataplane.memories.schemas import MemoryInput
from loci_dataplane.model.filter import Filter
from loci_dataplane.model.memory import Memory, new_id
from loci_dataplane.outbox.indexer import Indexer
from loci_dataplane.stores.ports import Records
from loci_runtime.errors import ConflictError, InvalidError, NotFoundError

_INDEX_BUDGET: Final = 0.05
"""Seconds that a write waits for its index before it answers; later ones catch up in the background."""
_ORDER_MAX: Final = 2**63 - 1


class Memories:
    """A tenant's memories."""

    def __init__(
        self, records: Records, indexer: Indexer, limits: Callable[[], Limits], now: Callable[[], datetime]
    ) -> None:
        self._records = records
        self._indexer = indexer
        self._limits = limits
        self._now = now

    async def add(self, given: MemoryInput) -> Memory:
        """Store a memory; when this returns it is on disk."""
        now = self._now()
        fields = {**given.model_dump(), "created_at": given.created_at or now}
        memory = Memory(id=new_id(), updated_at=now, **fields)
        await self._records.add(memory, self._limits().max_memories)
        await self._index()
        return memory

    async def get(self, memory_id: str) -> Memory:
        """One memory; NotFoundError when there is none."""
        found = await self._records.get([memory_id], self._now())
        if memory_id not in found:
            raise _not_found()
        return found[memory_id]

    async def page(self, where: Filter, cursor: str | None, limit: int) -> tuple[Sequence[Memory], str | None]:
        """Memories after a cursor, and the cursor of the page after these."""
        found = await self._records.page(where, _order(cursor), limit + 1, self._now())
        page = found[:limit]
        return page, _cursor(page[-1].order) if len(found) > limit else None

    async def replace(self, memory_id: str, given: MemoryInput, if_match: str | None) -> Memory:
        """Put another in a memory's place; it keeps its id, and its time of creation unless one is given."""
        fields = given.model_dump()
        if given.created_at is None:
            del fields["created_at"]
        return await self._change(memory_id, fields, if_match)

    async def patch(self, memory_id: str, fields: dict[str, Any], if_match: str | None) -> Memory:
        """Change some fields."""
        return await self._change(memory_id, fields, if_match)

    async def delete(self, memory_id: str, if_match: str | None) -> None:
        """Remove a memory: it is found no more from now on."""
        if not await self._records.delete(memory_id, self._now(), lambda memory: _check(memory, if_match)):
            raise _not_found()
        await self._index()

    async def _change(self, memory_id: str, fields: dict[str, Any], if_match: str | None) -> Memory:
        now = self._now()

        def changed(memory: Memory) -> Memory:
            _check(memory, if_match)
            return replace(memory, **fields, updated_at=now)

        memory = await self._records.change(memory_id, now, changed)
        if memory is None:
            raise _not_found()
        await self._index()
        return memory

    async def _index(self) -> None:
        self._indexer.touch()
        await self._indexer.settle(_INDEX_BUDGET)


def _check(memory: Memory, if_match: str | None) -> None:
    if if_match is not None and not {tag.strip() for tag in if_match.split(",")} & {"*", memory.etag}:
        raise ConflictError("The memory was changed in the meantime: read it again and retry with its new ETag.")


def _not_found() -> NotFoundError:
    return NotFoundError("There is no memory with this id.")


def _cursor(order: int) -> str:
    return base64.urlsafe_b64encode(str(order).encode()).decode().rstrip("=")


def _order(cursor: str | None) -> int:
    """The place that a cursor names."""
    if cursor is None:
        return 0
    try:
        order = int(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except ValueError:
        order = -1
    if not 0 <= order <= _ORDER_MAX:
        raise InvalidError("is not one of ours: begin again without it", "query.cursor")
    return order
