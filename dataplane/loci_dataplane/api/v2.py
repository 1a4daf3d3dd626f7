"""Version 2 (beta): the features whose endpoints it has."""

from __future__ import annotations

from typing import Final

from fastapi import FastAPI

from loci_dataplane.conversations import endpoints as conversations
from loci_dataplane.graph import endpoints as graph

_ROUTERS: Final = (conversations.router, graph.router)


def mount(app: FastAPI) -> None:
    """Add the version's endpoints to an application."""
    for router in _ROUTERS:
        app.include_router(router)
