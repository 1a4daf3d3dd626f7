"""The application of one tenant. Several may run in one process; nothing here is shared between them but code."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from importlib.metadata import version

from fastapi import FastAPI

from loci_dataplane.deps import Deps, Services, services
from loci_dataplane.health import endpoints as health
from loci_dataplane.memories import endpoints as memories
from loci_dataplane.middleware import MAX_BODY_BYTES, ingress_only
from loci_dataplane.search import endpoints as search
from loci_dataplane.usage import endpoints as usage
from loci_runtime import responses
from loci_runtime.edge import Edge, Rules


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
    responses.install(app)
    for feature in (search, memories, usage, health):
        app.include_router(feature.router)
    app.add_middleware(Edge, rules=_rules(deps, given))
    return app


def _rules(deps: Deps, given: Services) -> Rules:
    return Rules(
        guard=ingress_only(deps.ingress_token),
        max_body_bytes=MAX_BODY_BYTES,
        context={"tenant_id": deps.tenant},
        describe=lambda scope: {"entities_returned": scope.get("entities_returned")},
        observe=given.metrics.observe,
    )


@contextlib.asynccontextmanager
async def running(app: FastAPI) -> AsyncIterator[None]:
    """The application's background work; its metrics go when it ends."""
    given = app.state.services
    async with given.indexer.running():
        try:
            yield
        finally:
            given.metrics.remove()
