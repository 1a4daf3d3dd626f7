"""Render the OpenAPI document of both public APIs from their endpoints and the routes table."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, Final

from fastapi import APIRouter, FastAPI

from loci_admin.keys import endpoints as keys
from loci_admin.tenants import endpoints as tenants
from loci_contract.errors import ErrorBody
from loci_contract.routes import ADMIN, TENANT, Routes
from loci_dataplane.conversations import endpoints as conversations
from loci_dataplane.erasures import endpoints as erasures
from loci_dataplane.exchange import endpoints as exchange
from loci_dataplane.graph import endpoints as graph
from loci_dataplane.health import endpoints as health
from loci_dataplane.memories import endpoints as memories
from loci_dataplane.search import endpoints as search
from loci_dataplane.usage import endpoints as usage

Json = dict[str, Any]

_DESCRIPTION: Final = (
    "Memory for AI applications. Paths under `/v1` and `/v2` (beta) take a tenant's API key, those under `/admin` the "
    "admin key. "
    "HEAD is served wherever GET is; OPTIONS returns the methods of a path."
)
_ERRORS: Final = {
    "400": "The body or the path cannot be read.",
    "401": "No key, or one that is unknown, revoked or expired.",
    "403": "The key's scope, the tenant's state or its quota does not allow it.",
    "404": "There is no such thing, for this key.",
    "409": "It exists already, or was changed in the meantime.",
    "413": "The body is too large.",
    "415": "The body has another Content-Encoding than gzip.",
    "422": "A field is not valid; `fields` lists each.",
    "429": "The burst capacity of the tenant's rate limit is used up.",
    "503": "The service is unavailable at the moment.",
}
_RATE_HEADERS: Final = {
    "RateLimit-Policy": ("string", 'Capacity and rate: `"burst";q=100;w=10, "minute";q=600;w=60`.'),
    "RateLimit": ("string", 'Tokens left, and seconds until the bucket is full: `"burst";r=41;t=6`.'),
    "X-RateLimit-Limit": ("integer", "Requests a minute."),
    "X-RateLimit-Remaining": ("integer", "Requests left of the burst capacity."),
    "X-RateLimit-Reset": ("integer", "When the bucket is full again, Unix seconds."),
}
_EXAMPLES: Final = {
    "add": {"content": "Ada prefers green tea.", "user_id": "ada", "metadata": {"source": "chat"}},
    "replace": {"content": "Ada prefers black tea.", "user_id": "ada"},
    "update": {"content": "Ada prefers black tea."},
    "search": {"query": "What does Ada drink?", "limit": 5, "filters": {"user_id": "ada"}},
    "remember": {"messages": [{"role": "user", "name": "Ada", "content": "I moved to Lisbon."}], "user_id": "ada"},
    "search_explained": {"query": "Where does Ada live?", "limit": 5},
    "context": {"query": "Where does Ada live?", "token_budget": 500},
    "create_tenant": {"name": "acme_corp", "tier": "pro"},
    "update_tenant": {"tier": "enterprise"},
    "create_key": {"name": "reader", "scopes": ["read"]},
    "rotate_key": {"overlap": "24h"},
}
_LIMITED: Final = {"error": "rate_limit_exceeded", "policy": "burst", "retry_after": 1, "limit": 600, "burst": 100}


def rendered() -> dict[str, str]:
    """Return the text of the generated files by their paths in the repository."""
    text = json.dumps(document(), indent=2, ensure_ascii=False) + "\n"
    return {"docs/openapi.json": text, "dataplane/loci_policy/openapi.json": text}


def document() -> Json:
    """Return the OpenAPI document."""
    found = _described(
        endpoints.router
        for endpoints in (search, memories, erasures, exchange, usage, conversations, graph, health, tenants, keys)
    )
    components = found["components"]
    components["schemas"]["Error"] = ErrorBody.model_json_schema(ref_template="#/components/schemas/{model}")
    components["schemas"] |= components["schemas"]["Error"].pop("$defs", {})
    for unused in ("HTTPValidationError", "ValidationError"):
        components["schemas"].pop(unused, None)
    components["responses"] = {status: _error(status, text) for status, text in _ERRORS.items()}
    components["headers"] = {n: {"description": t, "schema": {"type": k}} for n, (k, t) in _RATE_HEADERS.items()}
    components["securitySchemes"] = {
        "tenantKey": {"type": "http", "scheme": "bearer", "description": "A tenant's API key, `sk-...`."},
        "tenantKeyHeader": {"type": "apiKey", "in": "header", "name": "X-API-Key", "description": "The same."},
        "adminKey": {"type": "http", "scheme": "bearer", "description": "The admin key."},
    }
    for routes, security in ((TENANT, ("tenantKey", "tenantKeyHeader")), (ADMIN, ("adminKey",))):
        _complete(found["paths"], routes, security)
    return found


def _described(routers: Iterable[APIRouter]) -> Json:
    app = FastAPI(title="Loci", version="v1", description=_DESCRIPTION)
    for router in routers:
        app.include_router(router)
    return app.openapi()


def _complete(paths: Json, routes: Routes, security: Iterable[str]) -> None:
    for route in routes:
        operation: Json = paths[route.path][route.method.lower()]
        operation["operationId"] = route.operation
        operation["security"] = [{name: []} for name in security]
        if route.scope is not None:
            operation["description"] = f"{operation.get('description', '')}\n\nScope: `{route.scope}`.".strip()
            for status, response in operation["responses"].items():
                if status.startswith("2"):
                    response.setdefault("headers", {}).update(_rate_headers())
        statuses = _ERRORS.keys() - (set() if route.scope else {"429"})
        operation["responses"] |= {s: {"$ref": f"#/components/responses/{s}"} for s in sorted(statuses)}
        if route.operation in _EXAMPLES:
            operation["requestBody"]["content"]["application/json"]["example"] = _EXAMPLES[route.operation]


def _rate_headers() -> Json:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in _RATE_HEADERS}


def _error(status: str, text: str) -> Json:
    content: Json = {"schema": {"$ref": "#/components/schemas/Error"}}
    response: Json = {"description": text, "content": {"application/json": content}}
    if status == "429":
        retry_after = {"description": "Seconds to wait, at least 1.", "schema": {"type": "integer"}}
        response["headers"] = {"Retry-After": retry_after, **_rate_headers()}
        content["example"] = {**_LIMITED, "remaining": 0, "message": "...", "request_id": "..."}
    return response
