"""The application of one tenant. Several may run in one process; nothing here is shared between them but code."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from importlib.metadata import version

from fastapi import FastAPI

from loci_dataplane import answers
from loci_dataplane.deps import Deps, services
from loci_dataplane.health import endpoints as health
from loci_dataplane.memories import endpoints as memories
from loci_dataplane.middleware import Edge
from loci_dataplane.search import endpoints as search
from loci_dataplane.usage import endpoints as usage


def create_app(deps: Deps) -> FastAPI:
    """The ASGI application; enter `running(app)` around serving it."""
    app = FastAPI(
        title="Loci",
        version=version("loci-memory"),
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
    )
    app.state.services = given = services(deps)
    answers.install(app)
    for feature in (search, memories, usage, health):
        app.include_router(feature.router)
    app.add_middleware(Edge, tenant=deps.tenant, ingress_token=deps.ingress_token, metrics=given.metrics)
    return app


@contextlib.asynccontextmanager
async def running(app: FastAPI) -> AsyncIterator[None]:
    """The application's background work; its metrics go when it ends."""
    given = app.state.services
    async with given.indexer.running():
        try:
            yield
        finally:
            given.metrics.remove()
