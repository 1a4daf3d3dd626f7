"""Storing, reading and changing memories."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from loci_contract.registry import Limits
from loci_dataplane.memories.cursors import cursor_after, place_of
from loci_dataplane.memories.errors import QuotaError
from loci_dataplane.memories.schemas import MemoryInput, Order
from loci_dataplane.model.filter import Filter
from loci_dataplane.model.memory import Memory, new_id
from loci_dataplane.outbox.indexer import Indexer
from loci_dataplane.stores.errors import QuotaExceededError
from loci_dataplane.stores.ports import Stores, Transaction
from loci_runtime.errors import ConflictError, HttpError, InvalidError, NotFoundError

_INDEX_BUDGET: Final = 0.05
"""Seconds that a write waits for its index before it responds; after that the index catches up in the background."""
_EXPIRED_AT_ONCE: Final = 1_000
_DELETED_AT_ONCE: Final = 1_000


class Memories:
    """A tenant's memories."""

    def __init__(
        self, stores: Stores, indexer: Indexer, limits: Callable[[], Limits], now: Callable[[], datetime]
    ) -> None:
        self._stores = stores
        self._indexer = indexer
        self._limits = limits
        self._now = now

    async def add(self, body: MemoryInput) -> Memory:
        """Store a memory; when this returns it is on disk."""
        memory = _new(body, self._now())
        async with self._stores.transaction() as transaction:
            await self._add(transaction, memory)
        await self._index()
        return memory

    async def add_all(self, items: Sequence[MemoryInput | HttpError]) -> list[Memory | HttpError]:
        """Store the valid items in one transaction; each one's memory, or the reason why it was not stored."""
        now = self._now()
        async with self._stores.transaction() as transaction:
            results = [await self._add_item(transaction, item, index, now) for index, item in enumerate(items)]
        await self._index()
        return results

    async def get(self, memory_id: str) -> Memory:
        """One memory; NotFoundError when there is none."""
        found = await self._stores.records.get([memory_id], self._now())
        if memory_id not in found:
            raise _not_found()
        return found[memory_id]

    async def page(
        self, where: Filter, cursor: str | None, limit: int, order: Order
    ) -> tuple[Sequence[Memory], str | None]:
        """Memories after a cursor, and the cursor of the next page; None on the last one."""
        after, descending = place_of(cursor, order), order is Order.DESC
        found = await self._stores.records.page(where, after, limit + 1, self._now(), descending=descending)
        page = found[:limit]
        return page, cursor_after(page[-1].order, order) if len(found) > limit else None

    async def replace(self, memory_id: str, body: MemoryInput, if_match: str | None) -> Memory:
        """Replace a memory as a whole; it keeps its id and, unless the body has one, its time of creation."""
        fields = body.model_dump()
        if body.created_at is None:
            del fields["created_at"]
        return await self._change(memory_id, fields, if_match)

    async def patch(self, memory_id: str, changes: dict[str, Any], if_match: str | None) -> Memory:
        """Change some fields."""
        return await self._change(memory_id, changes, if_match)

    async def delete(self, memory_id: str, if_match: str | None) -> None:
        """Delete a memory: nothing returns it from now on."""
        async with self._stores.transaction() as transaction:
            _check(await transaction.get(memory_id, self._now()), if_match)
            await transaction.delete([memory_id])
        await self._index()

    async def delete_matching(self, where: Filter) -> int:
        """Delete all memories that a filter matches, in transactions of bounded size; their number."""
        deleted = 0
        while ids := await self._stores.records.matching(where, _DELETED_AT_ONCE, self._now()):
            async with self._stores.transaction() as transaction:
                deleted += await transaction.delete(ids)
            self._indexer.touch()
        await self._indexer.settle(_INDEX_BUDGET)
        return deleted

    async def _change(self, memory_id: str, fields: dict[str, Any], if_match: str | None) -> Memory:
        now = self._now()
        _check_expiry(fields.get("expires_at"), now)
        async with self._stores.transaction() as transaction:
            held = _check(await transaction.get(memory_id, now), if_match)
            memory = replace(held, **fields, updated_at=now, version=held.version + 1)
            await transaction.replace(memory)
        await self._index()
        return memory

    async def _add(self, transaction: Transaction, memory: Memory) -> None:
        """Store a memory within the quota; expired memories make room."""
        limit = self._limits().max_memories
        try:
            await transaction.add(memory, limit)
        except QuotaExceededError as error:
            if not await transaction.delete_expired(memory.updated_at, _EXPIRED_AT_ONCE):
                raise _quota_exceeded(error) from error
            await transaction.add(memory, limit)

    async def _add_item(
        self, transaction: Transaction, item: MemoryInput | HttpError, index: int, now: datetime
    ) -> Memory | HttpError:
        if isinstance(item, HttpError):
            return item
        try:
            memory = _new(item, now, f"body.memories.{index}")
            await self._add(transaction, memory)
        except (InvalidError, QuotaError) as refusal:
            return refusal
        return memory

    async def _index(self) -> None:
        self._indexer.touch()
        await self._indexer.settle(_INDEX_BUDGET)


def _new(body: MemoryInput, now: datetime, where: str = "body") -> Memory:
    _check_expiry(body.expires_at, now, where)
    return Memory(id=new_id(), updated_at=now, **{**body.model_dump(), "created_at": body.created_at or now})


def _check_expiry(expires_at: datetime | None, now: datetime, where: str = "body") -> None:
    if expires_at is not None and expires_at <= now:
        message = "must be in the future: leave it out to keep the memory, or delete the memory with DELETE"
        raise InvalidError(message, f"{where}.expires_at")


def _check(memory: Memory | None, if_match: str | None) -> Memory:
    """Return the memory if it exists and has one of the ETags."""
    if memory is None:
        raise _not_found()
    if if_match is not None and not {tag.strip() for tag in if_match.split(",")} & {"*", memory.etag}:
        raise ConflictError("The memory was changed in the meantime: read it again and retry with its new ETag.")
    return memory


def _not_found() -> NotFoundError:
    return NotFoundError("There is no memory with this id.")


def _quota_exceeded(error: QuotaExceededError) -> QuotaError:
    message = f"This tenant may hold {error.limit} memories and does; delete some or ask for a larger tier."
    return QuotaError(message, limit=error.limit, used=error.used)
