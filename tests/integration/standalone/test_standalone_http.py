"""Methods, paths and credentials at `loci serve`, by the table that the ingress has too."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from loci_dev.rigs.http_cases import CASES, PAGE, Case, check, check_cors, check_head
from loci_dev.rigs.standalone import ADMIN_KEY, Served, declare, serve


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_request_gets_what_it_gets_at_every_door(served: Served, case: Case) -> None:
    with served.client() as client:
        check(client, served.key("acme"), case)


@pytest.mark.parametrize("path", ["/v1/memories", "/v1/usage", "/health", "/v1/memories/mem_none", "/readyz"])
def test_head_has_the_headers_of_get(served: Served, path: str) -> None:
    with served.client() as client:
        check_head(client, served.key("acme"), path)


@pytest.mark.parametrize(
    ("method", "path", "status", "allow"),
    [
        ("HEAD", "/admin/tenants", 200, None),
        ("HEAD", "/metrics", 200, None),
        ("OPTIONS", "/admin/tenants/acme/keys", 204, "GET, HEAD, POST, OPTIONS"),
        ("PUT", "/admin/tenants/acme", 405, "GET, HEAD, PATCH, DELETE, OPTIONS"),
        ("GET", "/admin/tenants/", 404, None),
        ("GET", "/admin", 404, None),
    ],
)
def test_the_admin_api_does_the_same(served: Served, method: str, path: str, status: int, allow: str | None) -> None:
    with served.client(ADMIN_KEY) as admin:
        response = admin.request(method, path)
    assert (response.status_code, response.headers.get("allow")) == (status, allow)


def test_no_response_has_a_cors_header_unless_it_is_configured(acme: httpx.Client) -> None:
    page = {"origin": "https://app.example.com", "access-control-request-method": "POST"}
    for method in ("OPTIONS", "GET"):
        headers = acme.request(method, "/v1/memories", headers=page).headers
        assert not [name for name in headers if name.startswith("access-control")]


def test_configured_pages_may_call_and_no_others(tmp_path: Path) -> None:
    (tmp_path / "tenants").mkdir()
    declare(tmp_path / "tenants", "acme")
    with serve(tmp_path, tmp_path / "tenants", "--cors-origins", PAGE) as door, door.client() as client:
        check_cors(client, door.key("acme"))
