"""Every route of every HTTP API, once: method, path, operation, scope and cost.

The policy takes the needed scope, the cost and the known paths from here, the applications the operation for their
metrics and log lines, and each of them the methods that a path allows. Tests hold the tables against the applications.

A path without parameters is one dictionary look-up; any other is one match of a regular expression that joins the
templates of its table. A literal path wins over a template, as in `/v1/memories/search` and `/v1/memories/{memory_id}`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from loci_contract.registry import Scope

UNKNOWN_OPERATION: Final = "unknown"
"""The operation, in metrics and logs, of a request that matches no route."""
OPTIONS_OPERATION: Final = "options"
_METHOD_ORDER: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


@dataclass(frozen=True, slots=True)
class Route:
    """One operation of an API.

    Args:
        method: HTTP method; GET implies HEAD.
        path: template, such as `/v1/memories/{memory_id}`; a parameter is one path segment.
        operation: name in metrics and log lines.
        scope: scope that an API key needs; None where the API has no scopes.
        cost: tokens that a request takes from its tenant's bucket.
    """

    method: str
    path: str
    operation: str
    scope: Scope | None = None
    cost: int = 1


class Resource:
    """The routes of one path."""

    def __init__(self, path: str, routes: Iterable[Route]) -> None:
        self.path = path
        by_method = {route.method: route for route in routes}
        if "GET" in by_method:
            by_method["HEAD"] = by_method["GET"]
        self._by_method: Mapping[str, Route] = by_method
        self.allow = ", ".join(m for m in _METHOD_ORDER if m in by_method or m == "OPTIONS")
        """The value of the `Allow` header."""

    def route(self, method: str) -> Route | None:
        """The route of a method, or None when the path does not allow it."""
        return self._by_method.get(method)

    def operation(self, method: str) -> str:
        """The operation of a method, from a bounded set."""
        route = self._by_method.get(method)
        if route is not None:
            return route.operation
        return OPTIONS_OPERATION if method == "OPTIONS" else UNKNOWN_OPERATION


class Routes:
    """A table of routes, looked up by path."""

    def __init__(self, *routes: Route) -> None:
        self._routes = routes
        grouped: dict[str, list[Route]] = {}
        for route in routes:
            grouped.setdefault(route.path, []).append(route)
        resources = {path: Resource(path, group) for path, group in grouped.items()}
        self._literal = {path: resource for path, resource in resources.items() if "{" not in path}
        self._templates = [resource for path, resource in resources.items() if "{" in path]
        self._pattern = re.compile("|".join(f"({_regex(resource.path)})" for resource in self._templates) or r"(?!)")

    def __iter__(self) -> Iterator[Route]:
        return iter(self._routes)

    def __add__(self, other: Routes) -> Routes:
        return Routes(*self._routes, *other._routes)

    def at(self, path: str) -> Resource | None:
        """The resource at a path (decoded, without its query), or None when there is none."""
        literal = self._literal.get(path)
        if literal is not None:
            return literal
        match = self._pattern.fullmatch(path)
        return self._templates[match.lastindex - 1] if match and match.lastindex else None

    def without_trailing_slash(self, path: str) -> Resource | None:
        """The resource that an unknown path with slashes at its end probably means."""
        return self.at(path.rstrip("/")) if path.endswith("/") else None

    def not_found_message(self, path: str) -> str:
        """Error message for an unknown path; never repeats the path itself."""
        meant = self.without_trailing_slash(path)
        if meant is None:
            return "There is nothing at this path."
        return f"There is nothing at this path; use {meant.path}, without a slash at the end."


def not_allowed_message(resource: Resource) -> str:
    """Error message for a method that the path does not allow."""
    return f"{resource.path} does not allow this method; use one of {resource.allow}."


def _regex(template: str) -> str:
    return "".join("[^/]+" if part.startswith("{") else re.escape(part) for part in re.split(r"(\{\w+\})", template))


_MEMORY: Final = "/v1/memories/{memory_id}"
TENANT: Final = Routes(
    Route("POST", "/v1/memories/search", "search", Scope.READ),
    Route("POST", "/v1/memories", "add", Scope.WRITE),
    Route("POST", "/v1/memories/batch", "add_batch", Scope.WRITE),
    Route("GET", "/v1/memories", "list", Scope.READ),
    Route("DELETE", "/v1/memories", "delete_matching", Scope.WRITE),
    Route("GET", _MEMORY, "get", Scope.READ),
    Route("PUT", _MEMORY, "replace", Scope.WRITE),
    Route("PATCH", _MEMORY, "update", Scope.WRITE),
    Route("DELETE", _MEMORY, "delete", Scope.WRITE),
    Route("GET", f"{_MEMORY}/history", "history", Scope.READ),
    Route("POST", "/v1/erasures", "erase", Scope.WRITE),
    Route("GET", "/v1/erasures/{erasure_id}", "get_erasure", Scope.READ),
    Route("GET", "/v1/export", "export", Scope.READ),
    Route("POST", "/v1/import", "import", Scope.WRITE),
    Route("GET", "/v1/usage", "usage", Scope.READ),
    Route("POST", "/v2/memories", "remember", Scope.WRITE),
    Route("POST", "/v2/memories/search", "search_explained", Scope.READ),
    Route("POST", "/v2/context", "context", Scope.READ),
    Route("GET", "/v2/facts", "facts", Scope.READ),
    Route("GET", "/v2/entities", "entities", Scope.READ),
    Route("GET", "/v2/graph/neighbors", "neighbors", Scope.READ),
    Route("GET", "/health", "health", Scope.READ),
)
"""A tenant's API: what its keys open, through the ingress."""

PROBES: Final = Routes(
    Route("GET", "/livez", "livez"),
    Route("GET", "/readyz", "readyz"),
    Route("GET", "/metrics", "metrics"),
)
"""Health and metrics endpoints of every process."""

API_DOCS: Final = Routes(
    Route("GET", "/openapi.json", "openapi"),
    Route("GET", "/docs", "docs"),
    Route("GET", "/docs/{asset}", "docs_asset"),
)
"""The OpenAPI document and its page; they need no key."""

PLATFORM: Final = Routes(Route("GET", "/health", "health")) + PROBES + API_DOCS
"""Routes that the ingress serves itself."""

_TENANTS: Final = "/admin/tenants"
_TENANT: Final = "/admin/tenants/{tenant_id}"
ADMIN: Final = Routes(
    Route("POST", _TENANTS, "create_tenant"),
    Route("GET", _TENANTS, "list_tenants"),
    Route("GET", _TENANT, "get_tenant"),
    Route("PATCH", _TENANT, "update_tenant"),
    Route("DELETE", _TENANT, "delete_tenant"),
    Route("POST", f"{_TENANT}/suspend", "suspend_tenant"),
    Route("POST", f"{_TENANT}/resume", "resume_tenant"),
    Route("GET", f"{_TENANT}/keys", "list_keys"),
    Route("POST", f"{_TENANT}/keys", "create_key"),
    Route("POST", f"{_TENANT}/keys/{{name}}/rotate", "rotate_key"),
    Route("DELETE", f"{_TENANT}/keys/{{name}}", "revoke_key"),
)
"""The admin API: what the admin key opens."""

EMBEDDER: Final = Routes(Route("POST", "/v1/embeddings", "embed"), Route("GET", "/v1/models", "list_models"))
"""The embedder's API, inside the cluster."""
