"""Application factory of the admin API; without global state, so that `loci serve` can embed it."""

from __future__ import annotations

from importlib.metadata import version

from fastapi import FastAPI, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from loci_admin.deps import Deps
from loci_admin.edge import MAX_BODY_BYTES, admin_only, named_tenant
from loci_admin.keys import endpoints as keys
from loci_admin.keys.service import Keys
from loci_admin.tenants import endpoints as tenants
from loci_admin.tenants.service import Tenants
from loci_contract import routes
from loci_runtime import responses
from loci_runtime.edge import Edge, Rules
from loci_runtime.injection import provide


def create_app(deps: Deps) -> FastAPI:
    """ASGI application that serves `/admin`."""
    app = FastAPI(
        title="Loci admin",
        version=version("loci-memory"),
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
    )
    provide(app, Tenants(deps.store), Keys(deps.store, deps.now))
    responses.install(app)
    for feature in (tenants, keys):
        app.include_router(feature.router)
    app.add_api_route("/livez", _alive, include_in_schema=False)
    app.add_api_route("/readyz", _alive, include_in_schema=False)
    app.add_api_route("/metrics", _metrics, include_in_schema=False)
    rules = Rules(
        guard=admin_only(deps.admin_key_sha256),
        max_body_bytes=MAX_BODY_BYTES,
        routes=routes.ADMIN,
        describe=named_tenant,
    )
    app.add_middleware(Edge, rules=rules)
    return app


async def _alive() -> dict[str, str]:
    return {"status": "healthy"}


async def _metrics() -> Response:
    """Prometheus metrics of the process."""
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
