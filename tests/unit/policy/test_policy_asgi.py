"""The policy's two ASGI faces: for Envoy on its socket, and around the tenants' apps in standalone."""

from __future__ import annotations

from typing import Any

import httpx
import orjson
import pytest

from loci_contract import keys
from loci_contract.registry import RegistryRecord
from loci_dev.rigs import echo
from loci_dev.rigs.tenants import LIMITS, key_record, record
from loci_policy.asgi import PolicyMiddleware
from loci_policy.buckets.memory import LocalBuckets
from loci_policy.gate import Gate
from loci_policy.metrics import Metrics
from loci_policy.registry.follower import Registry
from loci_policy.registry.updates import Snapshot
from loci_policy.server import PolicyApp, is_admin
from loci_policy.table import Table

KEY = keys.generate("acme")
ACME = record("acme", key_record(KEY))
ADMIN_KEY = "an-admin-key"


def client(app: Any, key: str | None = KEY) -> httpx.AsyncClient:
    headers = {"authorization": f"Bearer {key}"} if key else {}
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://loci", headers=headers)


def server(*records: RegistryRecord, synced: bool = True) -> PolicyApp:
    metrics = Metrics()
    registry = Registry(Table(), metrics)
    if synced:
        registry.apply(Snapshot(records))
    return PolicyApp(Gate(registry.table, LocalBuckets(), metrics), registry, keys.sha256(ADMIN_KEY))


def middleware(*records: RegistryRecord) -> PolicyMiddleware:
    return PolicyMiddleware(Gate(Table(records), LocalBuckets(), Metrics()), lambda _: echo.app)


async def test_a_check_answers_with_the_headers_for_the_pod_and_for_the_caller() -> None:
    answer = await client(server(ACME)).get("/check/v1/memories?secret=1")
    assert answer.status_code == 200
    assert answer.headers["x-loci-upstream"] == ACME.upstream
    assert answer.headers["x-loci-ingress-token"] == ACME.ingress_token
    assert answer.headers["x-ratelimit-limit"] == str(LIMITS.requests_per_minute)


async def test_a_refused_check_gives_no_header_of_ours_but_the_operation() -> None:
    answer = await client(server(ACME), keys.generate("acme")).get("/check/v1/memories")
    assert answer.status_code == 401
    assert [name for name in answer.headers if name.startswith("x-loci-")] == ["x-loci-operation"]
    assert answer.headers["x-loci-operation"] == "list"


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/health"])
async def test_the_platforms_own_endpoints_know_head_and_options(path: str) -> None:
    get, head = [await client(server(ACME)).request(method, path) for method in ("GET", "HEAD")]
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == get.headers["content-length"] != "0"
    options = await client(server(ACME)).options(path)
    assert (options.status_code, options.headers["allow"]) == (204, "GET, HEAD, OPTIONS")


async def test_is_ready_only_once_the_registry_was_read() -> None:
    assert (await client(server(synced=False)).get("/readyz")).status_code == 503
    assert (await client(server(synced=False)).get("/health")).json()["status"] == "unhealthy"
    assert (await client(server()).get("/readyz")).status_code == 200
    assert (await client(server()).get("/livez")).status_code == 200


async def test_metrics_need_the_admin_key() -> None:
    assert (await client(server(ACME)).get("/metrics")).status_code == 401
    answer = await client(server(ACME), ADMIN_KEY).get("/metrics")
    assert "loci_policy_registry_tenants 1.0" in answer.text


@pytest.mark.parametrize(
    ("sent", "configured", "expected"),
    [
        ((b"authorization", f"Bearer {ADMIN_KEY}"), keys.sha256(ADMIN_KEY), True),
        ((b"x-api-key", ADMIN_KEY), keys.sha256(ADMIN_KEY), True),
        ((b"authorization", "Bearer other"), keys.sha256(ADMIN_KEY), False),
        ((b"x-api-key", "other"), keys.sha256(ADMIN_KEY), False),
        (None, keys.sha256(""), False),
        ((b"authorization", "Bearer "), keys.sha256(""), False),
        ((b"authorization", f"Basic {ADMIN_KEY}"), keys.sha256(ADMIN_KEY), False),
        ((b"authorization", f"Bearer {ADMIN_KEY}"), None, False),
    ],
)
def test_only_the_configured_admin_key_is_one(
    sent: tuple[bytes, str] | None, configured: str | None, *, expected: bool
) -> None:
    headers = [(sent[0], sent[1].encode())] if sent else []
    assert is_admin({"headers": headers}, configured) is expected


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/health", "/metrics"])
async def test_the_platforms_own_endpoints_are_only_read(path: str) -> None:
    answer = await client(server(ACME)).post(path)
    assert (answer.status_code, answer.json()["error"]) == (405, "method_not_allowed")
    assert answer.headers["allow"] == "GET, HEAD, OPTIONS"


async def test_other_paths_of_the_socket_are_not_found() -> None:
    answer = await client(server(ACME)).get("/other")
    assert (answer.status_code, answer.json()["error"]) == (404, "not_found")


async def test_the_middleware_puts_our_headers_in_place_of_the_callers() -> None:
    sneaky = {"x-loci-tenant": "other", "X-Loci-Scopes": "admin", "x-request-id": "abc"}
    answer = await client(middleware(ACME)).get("/v1/memories", headers=sneaky)
    seen = [tuple(pair) for pair in answer.json()["headers"]]
    assert [value for name, value in seen if name == "x-loci-tenant"] == ["acme"]
    assert [value for name, value in seen if name == "x-loci-scopes"] == ["read,write"]
    assert ("x-request-id", "abc") in seen
    assert KEY not in answer.text
    assert answer.headers["x-request-id"] == "abc"
    assert answer.headers["x-ratelimit-remaining"] == str(LIMITS.burst - 1)


@pytest.mark.parametrize("given", [b"", b"x" * 129, b"caf\xe9"])
async def test_an_unfit_request_id_is_replaced(given: bytes) -> None:
    answer = await client(middleware(ACME), None).get("/v1/memories", headers=[(b"x-request-id", given)])
    assert len(answer.headers["x-request-id"]) == 36
    assert answer.json()["request_id"] == answer.headers["x-request-id"]


async def test_two_authorization_headers_are_refused() -> None:
    both = [("authorization", f"Bearer {KEY}"), ("authorization", f"Bearer {KEY}")]
    answer = await client(middleware(ACME), None).get("/v1/memories", headers=both)
    assert answer.status_code == 401
    assert orjson.loads(answer.content)["error"] == "unauthorized"
