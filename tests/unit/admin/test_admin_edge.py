"""What holds around every request: the admin key, request ids, the one error shape, and logs without secrets."""

import json
from typing import Protocol

import httpx
import pytest
from pydantic import ValidationError
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs

from loci_admin.app import create_app
from loci_admin.deps import Deps
from loci_admin.settings import Settings
from loci_admin.tenants.store import TenantStore
from loci_contract.keys import sha256
from loci_runtime.errors import UnavailableError

TENANTS = "/admin/tenants"
KEY = "the-admin-key"


class Store(TenantStore, Protocol):
    fails: Exception | None


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Authorization": f"Bearer {KEY}"}, 200),
        ({"Authorization": f"bearer  {KEY}"}, 200),
        ({"X-API-Key": KEY}, 200),
        ({}, 401),
        ({"X-API-Key": ""}, 401),
        ({"X-API-Key": sha256(KEY)}, 401),
        ({"Authorization": KEY}, 401),
        ({"Authorization": "Bearer "}, 401),
        ({"Authorization": "Bearer wrong", "X-API-Key": KEY}, 401),
        ({"Authorization": f"Basic {KEY}"}, 401),
    ],
)
async def test_the_admin_key_opens_and_nothing_else(store: Store, headers: dict[str, str], status: int) -> None:
    transport = httpx.ASGITransport(create_app(Deps(store, sha256(KEY))))
    async with httpx.AsyncClient(transport=transport, base_url="http://admin", headers=headers) as client:
        answer = await client.get(TENANTS)
        assert answer.status_code == status
        assert {(await client.get(path)).status_code for path in ("/livez", "/readyz", "/metrics")} == {200}
        unknown = await client.get("/admin/nothing")
    assert unknown.status_code == (404 if status == 200 else 401)
    assert status == 200 or answer.json()["error"] == "unauthorized"


async def test_two_applications_share_nothing(store: Store) -> None:
    for key in ("one", "two"):
        transport = httpx.ASGITransport(create_app(Deps(store, sha256(key))))
        async with httpx.AsyncClient(transport=transport, base_url="http://admin") as client:
            answers = [await client.get(TENANTS, headers={"X-API-Key": sent}) for sent in ("one", "two")]
        assert [answer.status_code == 200 for answer in answers] == [key == "one", key == "two"]


@pytest.mark.parametrize(("sent", "echoed"), [("my-id_1.2", True), ("bad id", False), ("x" * 129, False), ("", False)])
async def test_a_request_id_is_echoed_when_it_is_one(admin: httpx.AsyncClient, sent: str, echoed: bool) -> None:  # noqa: FBT001 - a table
    answer = await admin.get(f"{TENANTS}/nobody", headers={"X-Request-ID": sent})
    assert answer.headers["x-request-id"] == answer.json()["request_id"]
    assert (answer.json()["request_id"] == sent) is echoed


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 422),
        (b"{", 400),
        (b"\xff\xfe", 400),
        (b"[" * 60_000, 400),
        (b"9" * 5_000, 400),
        (b"null", 422),
        (b"[]", 422),
        (rb'{"\ud800": 1}', 422),
        (rb'{"name": "\ud800", "tier": "pro"}', 422),
        (b'{"name": "a", "tier": "enterprise", "limits": {"burst": 1e400}}', 422),
        (b" " * 65_537, 413),
    ],
)
async def test_no_body_makes_it_fail(admin: httpx.AsyncClient, body: bytes, status: int) -> None:
    answer = await admin.post(TENANTS, content=body)
    assert answer.status_code == status
    assert answer.json().keys() >= {"error", "message", "request_id"}


async def test_errors_name_the_field_and_repeat_nothing(admin: httpx.AsyncClient) -> None:
    sent = {"name": 5, "tier": ["a-very-private-value"], "limits": {"burst": "another-private-value"}}
    answer = await admin.post(TENANTS, json=sent)
    assert [f["field"] for f in answer.json()["fields"]] == ["body.name", "body.tier", "body.limits.burst"]
    assert "private" not in answer.text


async def test_a_store_out_of_reach_is_503(admin: httpx.AsyncClient, store: Store) -> None:
    store.fails = UnavailableError("Try again in a moment.")
    answer = await admin.get(TENANTS)
    assert (answer.status_code, answer.json()["error"]) == (503, "service_unavailable")


async def test_what_nobody_expected_is_500_and_says_nothing_of_it(admin: httpx.AsyncClient, store: Store) -> None:
    store.fails = RuntimeError("a-secret-detail")
    with capture_logs() as lines:
        answer = await admin.get(TENANTS)
    assert (answer.status_code, answer.json()["error"]) == (500, "internal_error")
    assert "a-secret-detail" not in answer.text + json.dumps(lines)
    assert [line["status"] for line in lines if line["event"] == "request"] == [500]


async def test_a_log_line_names_route_tenant_and_trace_and_no_secret(admin: httpx.AsyncClient) -> None:
    trace = "0af7651916cd43dd8448eb211c80319c"
    with capture_logs(processors=[merge_contextvars]) as lines:
        key = (await admin.post(TENANTS, json={"name": "acme", "tier": "pro"})).json()["api_key"]
        await admin.get(f"{TENANTS}/acme", headers={"traceparent": f"00-{trace}-b7ad6b7169203331-01"})
        await admin.get(f"{TENANTS}/{key}")
    read, odd = lines[1:]
    assert (read["path"], read["tenant_id"], read["trace_id"]) == ("/admin/tenants/{tenant_id}", "acme", trace)
    assert (odd["path"], odd["tenant_id"], odd["status"]) == ("/admin/tenants/{tenant_id}", None, 404)
    for secret in (KEY, key, sha256(key)):
        assert secret not in json.dumps(lines)


def test_a_key_given_in_place_of_its_hash_is_not_repeated() -> None:
    with pytest.raises(ValidationError) as refused:
        Settings(admin_key_sha256="a-raw-admin-key")
    assert "a-raw-admin-key" not in str(refused.value)


def test_deps_do_not_show_the_hash(store: Store) -> None:
    assert sha256(KEY) not in repr(Deps(store, sha256(KEY)))
