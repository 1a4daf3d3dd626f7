"""The routes table: which path is which resource, which methods it allows, and how the operations are named."""

from __future__ import annotations

import pytest

from loci_contract.registry import Scope
from loci_contract.routes import ADMIN, EMBEDDER, PLATFORM, TENANT, Resource, Routes


def resource(routes: Routes, path: str) -> Resource:
    found = routes.at(path)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("path", "template"),
    [
        ("/v1/memories", "/v1/memories"),
        ("/v1/memories/search", "/v1/memories/search"),
        ("/v1/memories/mem_1", "/v1/memories/{memory_id}"),
        ("/v1/memories/searching", "/v1/memories/{memory_id}"),
        ("/v1/memories/a.b", "/v1/memories/{memory_id}"),
        ("/v1/memories/", None),
        ("/v1/memories/a/b", None),
        ("/v1/memories\n", None),
        ("/v1xmemories", None),
        ("/v1/memories/a\n", "/v1/memories/{memory_id}"),
        ("", None),
    ],
)
def test_a_literal_path_wins_over_a_template(path: str, template: str | None) -> None:
    found = TENANT.at(path)
    assert (found and found.path) == template


@pytest.mark.parametrize(
    ("routes", "path", "allow"),
    [
        (TENANT, "/v1/memories", "GET, HEAD, POST, DELETE, OPTIONS"),
        (TENANT, "/v1/memories/search", "POST, OPTIONS"),
        (TENANT, "/v1/memories/mem_1", "GET, HEAD, PUT, PATCH, DELETE, OPTIONS"),
        (PLATFORM, "/metrics", "GET, HEAD, OPTIONS"),
        (ADMIN, "/admin/tenants/acme", "GET, HEAD, PATCH, DELETE, OPTIONS"),
        (ADMIN, "/admin/tenants/acme/keys", "GET, HEAD, POST, OPTIONS"),
        (EMBEDDER, "/v1/embeddings", "POST, OPTIONS"),
    ],
)
def test_a_path_names_every_method_that_it_allows(routes: Routes, path: str, allow: str) -> None:
    assert resource(routes, path).allow == allow


def test_head_is_the_operation_of_get() -> None:
    memories = resource(TENANT, "/v1/memories")
    assert [memories.operation(method) for method in ("GET", "HEAD", "POST")] == ["list", "list", "add"]
    assert [memories.operation(method) for method in ("OPTIONS", "TRACE", "get", "PATCH")] == ["options"] + [
        "unknown"
    ] * 3


def test_every_tenant_route_has_a_scope_a_cost_and_an_operation_of_its_own() -> None:
    operations = [route.operation for route in TENANT]
    assert len(set(operations)) == len(operations)
    for route in TENANT:
        assert route.scope is not None
        assert route.cost >= 1
        reads = route.method == "GET" or route.operation in {"search", "search_explained", "context"}
        assert (route.scope is Scope.READ) is reads
