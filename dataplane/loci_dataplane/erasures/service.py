"""Carry erasures out, one after another, and write their receipts.

A request is recorded before it is answered, so that a crash only delays it: the task takes up the oldest one that is
not complete. Its steps can all be repeated: rows, versions, replies and full text go in transactions of bounded size,
which enqueue the memories; the indexer then removes vectors and graph; the stores purge their files; everything is
read back; the receipt is sealed. What is left over makes the task start again after a pause, so a receipt is never
written over remains.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import structlog

from loci_contract.receipts import digest
from loci_dataplane.memories.callers import Caller
from loci_dataplane.model.erasure import Erasure, Purge, new_erasure_id
from loci_dataplane.model.filter import Filter, bounds, parse
from loci_dataplane.model.memory import timestamp
from loci_dataplane.outbox.indexer import Indexer
from loci_dataplane.stores.ports import Stores
from loci_runtime.backoff import Backoff
from loci_runtime.errors import InvalidError, NotFoundError

_AT_ONCE: Final = 500
_SAMPLES: Final = 32
_IDLE_SECONDS: Final = 600.0
_POLL: Final = Backoff(first=0.05, longest=5.0)
_BACKOFF: Final = Backoff(first=0.5, longest=60.0)
_BACKUPS: Final = (
    "The service keeps no backups. Snapshots and copies of volumes or databases that an operator made keep what they "
    "held until they are deleted; file systems and disks may keep blocks that they freed."
)


class Erasures:
    """A tenant's erasures.

    Args:
        stores: the tenant's stores.
        indexer: removes vectors and graph.
        forget: empties caches that hold content.
        now: the clock, in UTC.
        tenant: the tenant's name, for receipts and the log.
    """

    def __init__(
        self,
        stores: Stores,
        indexer: Indexer,
        forget: Callable[[], Awaitable[None]],
        now: Callable[[], datetime],
        tenant: str,
    ) -> None:
        self._stores = stores
        self._indexer = indexer
        self._forget = forget
        self._now = now
        self._tenant = tenant
        self._wake = asyncio.Event()
        self._log = structlog.get_logger().bind(tenant_id=tenant)

    async def request(self, document: Mapping[str, Any], caller: Caller) -> Erasure:
        """Record an erasure, which is then carried out in the background."""
        if not bounds(parse(dict(document), "body")):
            raise InvalidError("Send user_id, or `filters` that compare something.", "body")
        erasure = Erasure(new_erasure_id(), self._now(), caller.key_id, document)
        await self._stores.erasures.begin(erasure)
        self._wake.set()
        return erasure

    async def get(self, erasure_id: str) -> Erasure:
        """An erasure; NotFoundError when there is none."""
        if (erasure := await self._stores.erasures.get(erasure_id)) is None:
            raise NotFoundError("There is no erasure with this id.")
        return erasure

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Carry erasures out for the length of the block."""
        task = asyncio.create_task(self._run())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _run(self) -> None:
        failures = 0
        while True:
            self._wake.clear()
            pause = _IDLE_SECONDS
            try:
                while (erasure := await self._stores.erasures.pending()) is not None:
                    await self._carry_out(erasure)
                failures = 0
            except Exception as error:  # noqa: BLE001 - the edge of a task that must outlive any failure of a store
                failures += 1
                pause = _BACKOFF.delay(failures)
                self._log.error("erasure delayed", error=type(error).__name__)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), pause)

    async def _carry_out(self, erasure: Erasure) -> None:
        where = parse(dict(erasure.request or {}))
        contents = await self._erase_rows(erasure.id, where)
        ids = (await self.get(erasure.id)).memory_ids
        left = await self._settled(where, ids)
        await self._forget()
        purges = {
            "records": await self._stores.erasures.purge(contents),
            "vectors": await self._stores.vectors.purge(ids),
        }
        left = {**left, **await self._stores.erasures.remaining(where, ids)}
        left["vectors"] = len(await self._stores.vectors.held(ids))
        if any(left.values()) or any(purge.found for purge in purges.values()):
            raise RuntimeError("something is left")
        receipt = self._receipt(await self.get(erasure.id), left, purges, len(contents))
        await self._stores.erasures.complete(erasure.id, receipt)
        self._log.info("erasure complete", erasure_id=erasure.id)

    async def _erase_rows(self, erasure_id: str, where: Filter) -> list[str]:
        contents: list[str] = []
        while True:
            batch = await self._stores.erasures.erase(erasure_id, where, _AT_ONCE)
            contents = [*contents, *batch.contents][:_SAMPLES]
            self._indexer.touch()
            if not batch.memory_ids:
                return contents

    async def _settled(self, where: Filter, ids: Sequence[str]) -> Mapping[str, int]:
        """Wait until the indexer, here or in another pod, has removed the memories from the indexes."""
        if await self._stores.outbox.revive():
            self._indexer.touch()
        looks = 0
        while (left := await self._stores.erasures.remaining(where, ids))["outbox"]:
            looks += 1
            await asyncio.sleep(_POLL.delay(looks))
        return left

    def _receipt(
        self, erasure: Erasure, left: Mapping[str, int], purges: Mapping[str, Purge], samples: int
    ) -> dict[str, Any]:
        return {
            "receipt": 1,
            "tenant": self._tenant,
            "id": erasure.id,
            "requested_at": timestamp(erasure.requested_at),
            "completed_at": timestamp(self._now()),
            "key_id": erasure.key_id,
            "request_sha256": digest(dict(erasure.request or {})),
            "memory_ids_sha256": digest(sorted(erasure.memory_ids)),
            "removed": dict(erasure.removed),
            "stores": [
                {
                    "store": "records",
                    "holds": "memories, versions, replies, full text, outbox, and the embedded graph",
                    "method": purges["records"].method,
                    "read_back": {name: number for name, number in left.items() if name != "vectors"},
                    "files": _files(purges["records"], f"the beginnings of up to {samples} erased contents"),
                    "not_covered": purges["records"].limits,
                },
                {
                    "store": "vectors",
                    "method": purges["vectors"].method,
                    "read_back": {"vectors": left["vectors"]},
                    "files": _files(purges["vectors"], "the ids of all erased memories"),
                    "not_covered": purges["vectors"].limits,
                },
                {"store": "caches", "method": "cached search results dropped"},
            ],
            "backups": _BACKUPS,
        }


def _files(purge: Purge, searched: str) -> dict[str, Any] | None:
    return None if purge.found is None else {"searched_for": searched, "found": purge.found}
