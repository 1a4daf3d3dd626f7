"""Export everything, and import it again.

An export goes through the memories in the order of storing, page by page, and then through the histories of deleted
ones; it is no snapshot: a memory that changes meanwhile is there as it was before or after. An import stores each id
that is not there yet, with its versions, in transactions of bounded size; so a repeated or interrupted import is
resumed by sending the same lines again.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime
from typing import Any, Final

import orjson
from pydantic import ValidationError

from loci_contract.registry import Limits
from loci_dataplane.exchange.schemas import FORMAT, Line, Progress, line_of
from loci_dataplane.model.filter import EVERYTHING
from loci_dataplane.model.memory import timestamp
from loci_dataplane.outbox.indexer import Indexer
from loci_dataplane.stores.errors import QuotaExceededError
from loci_dataplane.stores.ports import Stores, Transaction

_PAGE: Final = 200
_AT_ONCE: Final = 100
_HEADER: Final = "loci_export"
_END: Final = "end"


class Exchange:
    """A tenant's exports and imports."""

    def __init__(
        self, stores: Stores, indexer: Indexer, limits: Callable[[], Limits], now: Callable[[], datetime]
    ) -> None:
        self._stores = stores
        self._indexer = indexer
        self._limits = limits
        self._now = now

    async def export(self) -> AsyncIterator[bytes]:
        """The lines; the last one has the counts, so that a broken export shows."""
        yield _line({_HEADER: FORMAT, "at": timestamp(self._now())})
        memories = deleted = 0
        async for memory_id in self._live():
            if changes := await self._stores.history.versions(memory_id):
                memories += 1
                yield _line(line_of(list(changes)))
        async for memory_id in self._deleted():
            if changes := await self._stores.history.versions(memory_id):
                deleted += 1
                yield _line(line_of(list(changes)))
        yield _line({_END: True, "memories": memories, "deleted": deleted})

    async def load(self, body: bytes) -> AsyncIterator[bytes]:
        """Store the lines; yield refusals and progress as lines."""
        lines = [line for line in body.split(b"\n") if line.strip()]
        progress = Progress(lines=0, stored=0, present=0, refused=0)
        for start in range(0, len(lines), _AT_ONCE):
            for refusal in await self._load(lines[start : start + _AT_ONCE], progress):
                yield _line(refusal)
            progress.done = progress.lines == len(lines)
            yield _line(progress.model_dump())
        if not lines:
            yield _line(Progress(lines=0, stored=0, present=0, refused=0, done=True).model_dump())

    async def _load(self, lines: Sequence[bytes], progress: Progress) -> list[dict[str, Any]]:
        refusals: list[dict[str, Any]] = []
        async with self._stores.transaction() as transaction:
            for line in lines:
                progress.lines += 1
                try:
                    await self._load_line(transaction, line, progress)
                except (ValueError, QuotaExceededError) as error:
                    progress.refused += 1
                    refusals.append({"line": progress.lines, "message": _reason(error)})
        self._indexer.touch()
        return refusals

    async def _load_line(self, transaction: Transaction, line: bytes, progress: Progress) -> None:
        document = orjson.loads(line)
        if isinstance(document, dict) and (_HEADER in document or _END in document):
            return
        read = Line.model_validate(document)
        if await transaction.last_version(read.id):
            progress.present += 1
            return
        await transaction.restore(read.history(), self._limits().max_memories)
        progress.stored += 1

    async def _live(self) -> AsyncIterator[str]:
        after: int | None = None
        while page := await self._stores.records.page(EVERYTHING, after, _PAGE, self._now()):
            for memory in page:
                yield memory.id
            after = page[-1].order

    async def _deleted(self) -> AsyncIterator[str]:
        after = ""
        while ids := await self._stores.history.deleted(after, _PAGE):
            for memory_id in ids:
                yield memory_id
            after = ids[-1]


def _line(document: dict[str, Any]) -> bytes:
    return orjson.dumps(document) + b"\n"


def _reason(error: ValueError | QuotaExceededError) -> str:
    """Return why a line is invalid, without its content."""
    if isinstance(error, QuotaExceededError):
        return f"The tenant has reached its limit of {error.limit} memories."
    if isinstance(error, ValidationError):
        found = error.errors(include_input=False, include_url=False, include_context=False)
        return "; ".join(f"{'.'.join(map(str, entry['loc']))}: {entry['msg']}" for entry in found[:3])
    return "The line is not valid JSON."
