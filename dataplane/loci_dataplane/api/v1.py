"""Version 1: the features whose endpoints it has."""

from __future__ import annotations

from typing import Final

from fastapi import FastAPI

from loci_dataplane.erasures import endpoints as erasures
from loci_dataplane.exchange import endpoints as exchange
from loci_dataplane.memories import endpoints as memories
from loci_dataplane.search import endpoints as search
from loci_dataplane.usage import endpoints as usage

_ROUTERS: Final = (search.router, memories.router, erasures.router, exchange.router, usage.router)
"""Search comes first: `/v1/memories/search` would otherwise be the memory with the id `search`."""


def mount(app: FastAPI) -> None:
    """Add the version's endpoints to an application."""
    for router in _ROUTERS:
        app.include_router(router)
