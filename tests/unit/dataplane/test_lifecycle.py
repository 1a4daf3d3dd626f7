"""Opening stores that cannot be opened at first."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import cast

import pytest

from loci_dataplane.injection import NotServingError, Services
from loci_dataplane.lifecycle import Lifecycle
from loci_dataplane.stores.errors import StoreUnavailableError
from loci_dataplane.stores.ports import Stores


class Opening:
    """Fails so many times; counts how often the stores were opened and closed."""

    def __init__(self, failures: int, error: Exception) -> None:
        self.failures = failures
        self.error = error
        self.opened = self.closed = 0
        self.serving = asyncio.Event()

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator[Stores]:
        if self.failures:
            self.failures -= 1
            raise self.error
        self.opened += 1
        try:
            yield cast("Stores", None)
        finally:
            self.closed += 1

    @contextlib.asynccontextmanager
    async def start(self, stores: Stores) -> AsyncIterator[None]:
        del stores
        self.serving.set()
        yield


@pytest.mark.parametrize(
    ("error", "component"), [(StoreUnavailableError("vectors", "away"), "vectors"), (KeyError("secret"), "stores")]
)
async def test_tells_the_store_that_is_missing_and_tries_until_it_opens(error: Exception, component: str) -> None:
    opening, services = Opening(2, error), Services()
    lifecycle = Lifecycle(opening.open, opening.start, services, "acme")
    async with lifecycle.running():
        await lifecycle.attempted()
        assert "secret" not in str(lifecycle.problem)
        with pytest.raises(NotServingError) as refused:
            services.find(Stores)
        assert refused.value.component == component
        await asyncio.wait_for(opening.serving.wait(), 30)
    assert lifecycle.problem is None
    assert (opening.opened, opening.closed) == (1, 1)


async def test_ends_at_once_while_it_waits_for_another_attempt() -> None:
    opening = Opening(1_000_000, StoreUnavailableError("records", "away"))
    lifecycle = Lifecycle(opening.open, opening.start, Services(), "acme")
    async with asyncio.timeout(30), lifecycle.running():
        await lifecycle.attempted()
    assert opening.opened == 0
