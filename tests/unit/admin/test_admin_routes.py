"""The admin application and the routes table name the same operations."""

from __future__ import annotations

import httpx
import pytest

from loci_admin.app import create_app
from loci_admin.deps import Deps
from loci_admin.tenants.store import TenantStore
from loci_contract.keys import sha256
from loci_contract.routes import ADMIN


def test_the_table_and_the_application_have_the_same_routes(store: TenantStore) -> None:
    described = create_app(Deps(store, sha256("key"))).openapi()["paths"]
    assert {(method.upper(), path) for path, methods in described.items() for method in methods} == {
        (route.method, route.path) for route in ADMIN
    }


@pytest.mark.parametrize(
    ("method", "path", "status", "allow"),
    [
        ("PUT", "/admin/tenants", 405, "GET, HEAD, POST, OPTIONS"),
        ("GET", "/admin/tenants/acme/suspend", 405, "POST, OPTIONS"),
        ("TRACE", "/admin/tenants/acme/keys/default", 405, "DELETE, OPTIONS"),
        ("OPTIONS", "/admin/tenants", 204, "GET, HEAD, POST, OPTIONS"),
        ("POST", "/livez", 405, "GET, HEAD, OPTIONS"),
        ("POST", "/admin/tenants/", 404, None),
    ],
)
async def test_methods_are_answered_by_the_table(
    admin: httpx.AsyncClient, method: str, path: str, status: int, allow: str | None
) -> None:
    response = await admin.request(method, path)
    assert (response.status_code, response.headers.get("allow")) == (status, allow)
    if status == 404:
        assert "use /admin/tenants, without" in response.json()["message"]


async def test_head_is_get_without_its_body(admin: httpx.AsyncClient) -> None:
    get, head = [await admin.request(method, "/admin/tenants") for method in ("GET", "HEAD")]
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == get.headers["content-length"] != "0"
