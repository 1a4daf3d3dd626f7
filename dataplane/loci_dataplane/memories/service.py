"""Storing, reading and changing memories."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final
from weakref import WeakValueDictionary

from loci_contract.registry import Limits
from loci_dataplane.memories import replies
from loci_dataplane.memories.callers import Caller
from loci_dataplane.memories.cursors import cursor_after, place_of
from loci_dataplane.memories.errors import QuotaError
from loci_dataplane.memories.schemas import MemoryInput, Order, ReplacementInput
from loci_dataplane.model.filter import Filter
from loci_dataplane.model.history import Author, Change
from loci_dataplane.model.memory import Memory, new_id
from loci_dataplane.model.reply import Reply
from loci_dataplane.outbox.indexer import Indexer
from loci_dataplane.stores.errors import QuotaExceededError
from loci_dataplane.stores.ports import Stores, Transaction
from loci_runtime.errors import ConflictError, HttpError, InvalidError, NotFoundError

_INDEX_BUDGET: Final = 0.05
"""Seconds that a write waits for its index before it responds; after that the index catches up in the background."""
_EXPIRED_AT_ONCE: Final = 1_000
_DELETED_AT_ONCE: Final = 1_000
_REPLY_KEPT: Final = timedelta(hours=24)


Results = Sequence[Memory | HttpError]
Render = Callable[[Results], Awaitable[Reply]]


class Memories:
    """A tenant's memories."""

    def __init__(
        self, stores: Stores, indexer: Indexer, limits: Callable[[], Limits], now: Callable[[], datetime]
    ) -> None:
        self._stores = stores
        self._indexer = indexer
        self._limits = limits
        self._now = now
        self._deletions: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def add(self, body: MemoryInput, caller: Caller) -> Reply:
        """Store a memory; when this returns it is on disk."""

        async def work(transaction: Transaction, now: datetime) -> Reply:
            return replies.created(await self._store(transaction, body, now, "body"))

        return await self._write(work, caller)

    async def add_all(
        self, items: Sequence[MemoryInput | HttpError], caller: Caller, render: Render = replies.batch
    ) -> Reply:
        """Store the valid items in one transaction.

        Args:
            items: memories to store, and refusals that keep their places among the results.
            caller: who sends them.
            render: makes the reply of each item's memory or refusal; nothing is stored if it raises.
        """

        async def work(transaction: Transaction, now: datetime) -> Reply:
            return await render([await self._item(transaction, item, now, i) for i, item in enumerate(items)])

        return await self._write(work, caller)

    async def get(self, memory_id: str) -> Memory:
        """One memory; NotFoundError when there is none."""
        found = await self._stores.records.get([memory_id], self._now())
        if memory_id not in found:
            raise _not_found()
        return found[memory_id]

    async def history(self, memory_id: str) -> Sequence[Change]:
        """The versions of a memory, oldest first; NotFoundError for an id that is not known any more."""
        if not (versions := await self._stores.history.versions(memory_id)):
            raise _not_found()
        return versions

    async def page(
        self, where: Filter, cursor: str | None, limit: int, order: Order
    ) -> tuple[Sequence[Memory], str | None]:
        """Memories after a cursor, and the cursor of the next page; None on the last one."""
        after, descending = place_of(cursor, order), order is Order.DESC
        found = await self._stores.records.page(where, after, limit + 1, self._now(), descending=descending)
        page = found[:limit]
        return page, cursor_after(page[-1].order, order) if len(found) > limit else None

    async def replace(self, memory_id: str, body: ReplacementInput, if_match: str | None, caller: Caller) -> Reply:
        """Replace a memory as a whole; it keeps its id and, unless the body has one, its time of creation."""
        fields = body.model_dump()
        if body.created_at is None:
            del fields["created_at"]
        return await self._change(memory_id, fields, if_match, caller)

    async def patch(self, memory_id: str, changes: dict[str, Any], if_match: str | None, caller: Caller) -> Reply:
        """Change some fields."""
        return await self._change(memory_id, changes, if_match, caller)

    async def delete(self, memory_id: str, if_match: str | None, caller: Caller) -> Reply:
        """Delete a memory: no read, list or search returns it from now on."""

        async def work(transaction: Transaction, now: datetime) -> Reply:
            _check(await transaction.get(memory_id, now), if_match)
            await transaction.delete([memory_id])
            return replies.DELETED

        return await self._write(work, caller)

    async def delete_matching(self, where: Filter, caller: Caller) -> Reply:
        """Delete all memories that a filter matches, in transactions of bounded size; their number."""
        # Retries that are sent side by side wait for the first, which counts what it deletes.
        key = caller.attempt.key if caller.attempt else None
        async with self._deletions.setdefault(key, asyncio.Lock()) if key else contextlib.nullcontext():
            return await self._delete_matching(where, caller)

    async def _delete_matching(self, where: Filter, caller: Caller) -> Reply:
        deleted, now = 0, self._now()
        while True:
            ids = await self._stores.records.matching(where, _DELETED_AT_ONCE, now)
            async with self._stores.transaction(Author(caller.key_id, now)) as transaction:
                if (known := await _known(transaction, caller, now)) is not None:
                    return known
                deleted += await transaction.delete(ids)
                reply = replies.deleted(deleted)
                if not ids:
                    await _keep(transaction, caller, reply, now)
            self._indexer.touch()
            if not ids:
                await self._indexer.settle(_INDEX_BUDGET)
                return reply

    async def _change(self, memory_id: str, fields: dict[str, Any], if_match: str | None, caller: Caller) -> Reply:
        async def work(transaction: Transaction, now: datetime) -> Reply:
            _check_expiry(fields.get("expires_at"), now)
            held = _check(await transaction.get(memory_id, now), if_match)
            memory = replace(held, **fields, updated_at=now, version=held.version + 1)
            await transaction.replace(memory)
            return replies.changed(memory)

        return await self._write(work, caller)

    async def _write(self, work: Callable[[Transaction, datetime], Awaitable[Reply]], caller: Caller) -> Reply:
        """Do something once in one transaction, and keep the reply with it."""
        now = self._now()
        async with self._stores.transaction(Author(caller.key_id, now)) as transaction:
            if (known := await _known(transaction, caller, now)) is not None:
                return known
            reply = await work(transaction, now)
            await _keep(transaction, caller, reply, now)
        self._indexer.touch()
        await self._indexer.settle(_INDEX_BUDGET)
        return reply

    async def _store(self, transaction: Transaction, body: MemoryInput, now: datetime, where: str) -> Memory:
        """Store a memory within the quota; expired memories make room."""
        _check_expiry(body.expires_at, now, where)
        memory, limit = await _new(transaction, body, now, where), self._limits().max_memories
        try:
            await transaction.add(memory, limit)
        except QuotaExceededError as error:
            if not await transaction.delete_expired(now, _EXPIRED_AT_ONCE):
                raise _quota_exceeded(error) from error
            await transaction.add(memory, limit)
        return memory

    async def _item(
        self, transaction: Transaction, item: MemoryInput | HttpError, now: datetime, index: int
    ) -> Memory | HttpError:
        if isinstance(item, HttpError):
            return item
        try:
            return await self._store(transaction, item, now, f"body.memories.{index}")
        except (InvalidError, ConflictError, QuotaError) as refusal:
            return refusal


async def _known(transaction: Transaction, caller: Caller, now: datetime) -> Reply | None:
    """The reply to an earlier attempt; ConflictError if its key was used for another request."""
    if caller.attempt is None or (kept := await transaction.reply(caller.attempt.key, now)) is None:
        return None
    fingerprint, reply = kept
    if fingerprint != caller.attempt.fingerprint:
        raise ConflictError("This Idempotency-Key was used for another request; use a new one for each request.")
    return reply


async def _keep(transaction: Transaction, caller: Caller, reply: Reply, now: datetime) -> None:
    if caller.attempt is not None:
        await transaction.keep_reply(caller.attempt, reply, now, now + _REPLY_KEPT)


async def _new(transaction: Transaction, body: MemoryInput, now: datetime, where: str) -> Memory:
    """The memory of a body, under its own id if that is free."""
    version = 1
    if body.id is not None:
        if await transaction.get(body.id, now) is not None:
            raise ConflictError("There is a memory with this id already; PUT or PATCH changes it.", f"{where}.id")
        await transaction.delete([body.id])  # one that has expired
        version = await transaction.last_version(body.id) + 1
    fields = {**body.model_dump(), "id": body.id or new_id(), "created_at": body.created_at or now}
    return Memory(updated_at=now, version=version, **fields)


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
