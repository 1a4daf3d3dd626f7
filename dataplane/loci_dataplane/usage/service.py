"""The tenant's usage against its limits."""

from __future__ import annotations

from collections.abc import Callable

from pydantic import BaseModel

from loci_contract.registry import Limits
from loci_dataplane.stores.ports import Records


class Usage(BaseModel):
    """Used and allowed."""

    memories: int
    max_memories: int
    requests_per_minute: int


class UsageService:
    """Reports usage."""

    def __init__(self, records: Records, limits: Callable[[], Limits]) -> None:
        self._records = records
        self._limits = limits

    async def report(self) -> Usage:
        """Return the present usage and limits."""
        limits = self._limits()
        return Usage(
            memories=await self._records.count(),
            max_memories=limits.max_memories,
            requests_per_minute=limits.requests_per_minute,
        )
