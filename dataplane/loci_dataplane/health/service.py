"""The state of the service and of what it depends on."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from importlib.metadata import version
from typing import Any, Final, Literal

from pydantic import BaseModel

from loci_dataplane.stores.embedding import Embedder, Purpose
from loci_dataplane.stores.errors import StorageFullError
from loci_dataplane.stores.ports import Stores

_TIMEOUT: Final = 2.0
_VERSION: Final = version("loci-memory")

Status = Literal["healthy", "degraded", "unhealthy"]


class Health(BaseModel):
    """Unhealthy without its records, degraded without another component or while a volume is full."""

    status: Status
    components: dict[str, Status]
    version: str


class HealthService:
    """Checks the components.

    Args:
        stores: returns the stores, or raises while they are not open.
        embedder: the embedder.
    """

    def __init__(self, stores: Callable[[], Stores], embedder: Embedder) -> None:
        self._stores = stores
        self._embedder = embedder

    async def report(self) -> Health:
        """Check every component, each for at most two seconds."""
        checks = {
            "records": self._check_records(),
            "vectors": self._check_vectors(),
            "graph": self._check_graph(),
            "cache": self._check_cache(),
            "embedder": self._check_embedder(),
        }
        found = await asyncio.gather(*(_status(check) for check in checks.values()))
        components = dict(zip(checks, found, strict=True))
        return Health(status=_overall(components), components=components, version=_VERSION)

    async def _check_records(self) -> None:
        await self._stores().records.check()

    async def _check_vectors(self) -> None:
        await self._stores().vectors.check()

    async def _check_graph(self) -> None:
        await self._stores().graph.check()

    async def _check_cache(self) -> None:
        await self._stores().cache.check()

    async def _check_embedder(self) -> None:
        await self._embedder.embed(["health"], Purpose.QUERY, interactive=True)


def _overall(components: dict[str, Status]) -> Status:
    if components["records"] == "unhealthy":
        return "unhealthy"
    return "healthy" if set(components.values()) == {"healthy"} else "degraded"


async def _status(check: Awaitable[Any]) -> Status:
    try:
        await asyncio.wait_for(check, _TIMEOUT)
    except StorageFullError:
        return "degraded"  # reads go on
    except Exception:  # noqa: BLE001 - the edge: any failure means that the component does not work
        return "unhealthy"
    return "healthy"
