"""One request after another through the real Envoy: who passes, what the pod sees, what the caller is told."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from http.client import HTTPResponse
from typing import Any

import httpx
import pytest

from loci_contract.errors import ErrorBody
from loci_contract.registry import Scope, TenantState
from loci_dev.rigs.ingress import ADMIN_KEY, Ingress, Tenant, known
from loci_dev.rigs.processes import wait_until
from loci_dev.rigs.tenants import LIMITS

FOREIGN = {
    "x-loci-upstream": "127.0.0.1:9",
    "X-Loci-Tenant": "other",
    "x-loci-scopes": "admin",
    "x-loci-ingress-token": "guess",
    "x-loci-anything": "else",
    "x-envoy-upstream-rq-timeout-ms": "1",
    "x-envoy-original-path": "/admin",
}


@pytest.fixture(scope="module")
def acme(the_ingress: Ingress, pod: str) -> Iterator[Tenant]:
    with known(the_ingress, "acme", pod, Scope.WRITE) as tenant:
        yield tenant


def shape(answer: httpx.Response) -> ErrorBody:
    assert answer.headers["content-type"] == "application/json"
    return ErrorBody.model_validate_json(answer.content)


def pod_headers(answer: httpx.Response) -> dict[str, list[str]]:
    assert answer.status_code == 200, answer.text
    seen: dict[str, list[str]] = {}
    for name, value in answer.json()["headers"]:
        seen.setdefault(name, []).append(value)
    return seen


def test_a_request_reaches_its_tenants_pod_as_it_was_sent(client: httpx.Client, acme: Tenant, pod: str) -> None:
    answer = client.post("/v1/memories?limit=2", headers=acme.bearer, json={"content": "hello"})
    seen = pod_headers(answer)
    assert (answer.json()["method"], answer.json()["path"], answer.json()["query"]) == (
        "POST",
        "/v1/memories",
        "limit=2",
    )
    assert seen["x-loci-tenant"] == ["acme"]
    assert seen["x-loci-scopes"] == ["read,write"]
    assert seen["x-loci-ingress-token"] == [acme.record.ingress_token]
    assert seen["host"] == [pod]


def test_x_api_key_is_as_good(client: httpx.Client, acme: Tenant) -> None:
    assert client.get("/v1/memories", headers={"x-api-key": acme.key}).status_code == 200


def test_the_pod_never_sees_the_key(client: httpx.Client, acme: Tenant) -> None:
    answer = client.get("/v1/memories", headers={**acme.bearer, "x-api-key": acme.key})
    assert acme.key not in str(pod_headers(answer))


@pytest.mark.invariant(1)
def test_callers_copies_of_our_headers_are_dropped(client: httpx.Client, acme: Tenant, pod: str) -> None:
    seen = pod_headers(client.get("/v1/memories", headers={**acme.bearer, **FOREIGN}))
    assert seen["x-loci-upstream"] == [pod]
    assert seen["x-loci-tenant"] == ["acme"]
    assert seen["x-loci-scopes"] == ["read,write"]
    assert seen["x-loci-ingress-token"] == [acme.record.ingress_token]
    assert not {"x-loci-anything", "x-envoy-upstream-rq-timeout-ms", "x-envoy-original-path"} & seen.keys()


def test_the_pod_gets_none_of_our_headers_from_callers_without_a_key(client: httpx.Client, acme: Tenant) -> None:
    answer = client.get("/v1/memories", headers={**FOREIGN, "x-loci-ingress-token": acme.record.ingress_token})
    assert answer.status_code == 401


def test_a_request_id_is_kept_and_made_and_sent_back(client: httpx.Client, acme: Tenant) -> None:
    given = "01234567-89ab-9cde-8f01-23456789abcd"
    kept = client.get("/v1/memories", headers={**acme.bearer, "x-request-id": given})
    assert kept.headers["x-request-id"] == given
    assert pod_headers(kept)["x-request-id"] == [given]
    made = client.get("/v1/memories", headers=acme.bearer)
    assert pod_headers(made)["x-request-id"] == [made.headers["x-request-id"]]


def test_rate_limit_headers_come_with_success(client: httpx.Client, acme: Tenant) -> None:
    answer = client.get("/v1/memories", headers=acme.bearer)
    limit = LIMITS.requests_per_minute
    assert answer.headers["ratelimit-policy"] == f'"burst";q={LIMITS.burst};w=10, "minute";q={limit};w=60'
    assert answer.headers["ratelimit"].startswith('"burst";r=')
    assert answer.headers["x-ratelimit-limit"] == str(limit)
    assert int(answer.headers["x-ratelimit-remaining"]) < LIMITS.burst
    assert int(answer.headers["x-ratelimit-reset"]) > 1_700_000_000
    assert "x-ratelimit-mode" not in answer.headers
    assert not [name for name in answer.headers if name.startswith("x-loci-")]


def test_a_wrong_key_gets_401(client: httpx.Client) -> None:
    answer = client.get("/v1/memories", headers={"authorization": "Bearer sk-acme-guess"})
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert shape(answer).error == "unauthorized"
    assert shape(answer).request_id == answer.headers["x-request-id"]


def test_a_reader_may_not_write(client: httpx.Client, the_ingress: Ingress, pod: str) -> None:
    with known(the_ingress, "reader", pod, Scope.READ) as reader:
        assert client.post("/v1/memories/search", headers=reader.bearer, json={}).status_code == 200
        answer = client.post("/v1/memories", headers=reader.bearer, json={})
    assert (answer.status_code, shape(answer).error) == (403, "forbidden")


def test_a_suspended_tenant_gets_403(client: httpx.Client, the_ingress: Ingress, pod: str) -> None:
    with known(the_ingress, "paused", pod, state=TenantState.SUSPENDED) as paused:
        answer = client.get("/v1/memories", headers=paused.bearer)
    assert (answer.status_code, shape(answer).error) == (403, "tenant_suspended")


def test_an_unknown_path_gets_404(client: httpx.Client, acme: Tenant) -> None:
    answer = client.get("/v9/memories", headers=acme.bearer)
    assert (answer.status_code, shape(answer).error) == (404, "not_found")


def test_an_empty_bucket_gets_429_with_all_there_is_to_know(
    client: httpx.Client, the_ingress: Ingress, pod: str
) -> None:
    limits = LIMITS.model_copy(update={"requests_per_minute": 6, "burst": 3})
    with known(the_ingress, "small", pod, limits=limits) as small:
        answers = [client.get("/v1/memories", headers=small.bearer) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    body = answers[-1].json()
    assert shape(answers[-1]).error == "rate_limit_exceeded"
    assert body.keys() >= {"retry_after", "limit", "remaining", "reset_at"}
    assert body["retry_after"] == 10
    assert (body["limit"], body["burst"], body["remaining"]) == (6, 3, 0)
    headers = answers[-1].headers
    assert headers["retry-after"] == "10"
    assert headers["ratelimit"] == '"burst";r=0;t=30'
    assert headers["x-ratelimit-remaining"] == "0"


def test_a_pod_that_is_not_there_gets_503(client: httpx.Client, the_ingress: Ingress) -> None:
    with known(the_ingress, "gone", "127.0.0.1:9") as gone:
        answer = client.get("/v1/memories", headers=gone.bearer)
    assert (answer.status_code, shape(answer).error) == (503, "service_unavailable")


def test_a_body_that_is_declared_too_long_gets_413(client: httpx.Client, acme: Tenant) -> None:
    answer = client.post("/v1/memories", headers=acme.bearer, content=b"x" * 524_289)
    assert (answer.status_code, shape(answer).error) == (413, "payload_too_large")


def test_the_admin_route_is_the_admin_apis_alone(client: httpx.Client, acme: Tenant) -> None:
    # No admin API runs here: 503 shows that neither a pod nor the policy answered in its stead.
    assert client.get("/admin/tenants", headers=acme.bearer).status_code == 503


def test_health_without_a_key_is_the_platforms_and_with_one_the_tenants(client: httpx.Client, acme: Tenant) -> None:
    assert client.get("/health").json()["components"] == {"registry": "healthy"}
    assert client.get("/health", headers=acme.bearer).json()["path"] == "/health"


def test_metrics_need_the_admin_key(client: httpx.Client, acme: Tenant) -> None:
    assert client.get("/metrics", headers=acme.bearer).status_code == 401
    answer = client.get("/metrics", headers={"authorization": f"Bearer {ADMIN_KEY}"})
    assert "loci_policy_decisions_total" in answer.text


def raw(ingress: Ingress, request: str) -> tuple[int, bytes]:
    with socket.create_connection(("127.0.0.1", ingress.envoy.port), timeout=5) as connection:
        connection.sendall(request.encode("latin-1"))
        answer = HTTPResponse(connection)
        answer.begin()
        return answer.status, answer.read()


@pytest.mark.invariant(1)
@pytest.mark.parametrize(
    "target",
    [
        "/v1/a%2fb",
        "/v1/a%5Cb",
        "/v1/memories;x",
        "/v1/%00",
        "/v1/../metrics",
        "/v1/..%2fmetrics",
        "/v1/%2e%2e/%2e%2e/metrics",
        "http://127.0.0.1:1/v9/other",
        "v1/memories",
        "*",
    ],
)
def test_path_tricks_reach_no_pod(the_ingress: Ingress, acme: Tenant, target: str) -> None:
    status, body = raw(the_ingress, f"GET {target} HTTP/1.1\r\nhost: x\r\nx-api-key: {acme.key}\r\n\r\n")
    assert status in {400, 401, 404}
    ErrorBody.model_validate_json(body)


def start(tenant: Tenant) -> str:
    return f"POST /v1/memories HTTP/1.1\r\nhost: x\r\nx-api-key: {tenant.key}\r\n"


SMUGGLED: dict[str, str] = {
    "length and chunks": "content-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    "two lengths": "content-length: 4\r\ncontent-length: 5\r\n\r\nabcde",
    "underscores": "x_loci_tenant: other\r\n\r\n",
    "a second key": "x-api-key: sk-other\r\n\r\n",
}


@pytest.mark.invariant(1)
@pytest.mark.parametrize("rest", SMUGGLED.values(), ids=SMUGGLED.keys())
def test_ambiguous_requests_reach_no_pod(the_ingress: Ingress, acme: Tenant, rest: str) -> None:
    status, body = raw(the_ingress, start(acme) + rest)
    assert status in {400, 401}
    ErrorBody.model_validate_json(body)


def test_a_folded_header_is_no_header_of_ours(the_ingress: Ingress, acme: Tenant) -> None:
    status, body = raw(the_ingress, f"{start(acme)}x-other: a\r\n x-loci-tenant: other\r\n\r\n")
    assert status == 200
    assert [value for name, value in json.loads(body)["headers"] if name == "x-loci-tenant"] == ["acme"]


@pytest.mark.invariant(4)
def test_a_changed_record_is_obeyed_at_once(client: httpx.Client, the_ingress: Ingress, pod: str) -> None:
    with known(the_ingress, "fickle", pod) as fickle:
        assert client.get("/v1/memories", headers=fickle.bearer).status_code == 200
        the_ingress.put(fickle.record.model_copy(update={"keys": ()}))
        fickle.until(client, 401)
        the_ingress.put(fickle.record)
        fickle.until(client, 200)
        the_ingress.remove("fickle")
        fickle.until(client, 401)
        the_ingress.put(fickle.record)


@pytest.mark.invariant(5)
def test_nothing_secret_is_in_any_log(client: httpx.Client, the_ingress: Ingress, acme: Tenant) -> None:
    secrets: dict[str, Any] = {"canary": "in-the-query"}
    client.post("/v1/memories", headers=acme.bearer, params=secrets, json={"content": "in-the-body"})
    client.get("/v1/in-the-path", headers={"x-api-key": acme.key[:-1] + "~", "x-request-id": "the-last-one"})
    wait_until(lambda: "the-last-one" in the_ingress.envoy.log.read_text(), "Envoy wrote its log")
    logs = (the_ingress.envoy.log, the_ingress.policy.log, the_ingress.envoy.log.with_name("envoy.log.err"))
    written = "".join(log.read_text() for log in logs)
    for secret in (acme.key[:-1], acme.record.ingress_token, "in-the-query", "in-the-body", "in-the-path"):
        assert secret not in written


@pytest.mark.parametrize(
    ("head", "status", "error"),
    [
        ("POST /v1/memories HTTP/1.1\r\nTransfer-Encoding: xchunked", 400, "bad_request"),
        ("GET /livez HTTP/1.1\r\nX-A: " + "b" * 40_000, 431, "bad_request"),
        ("TRACE /livez HTTP/1.1", 405, "method_not_allowed"),
    ],
    ids=["transfer encoding", "long header", "method of the platform"],
)
def test_what_envoy_refuses_by_itself_has_the_one_shape(
    the_ingress: Ingress, head: str, status: int, error: str
) -> None:
    answer, text = raw(the_ingress, f"{head}\r\nHost: a\r\nConnection: close\r\n\r\n")
    body = ErrorBody.model_validate_json(text)
    assert (answer, body.error) == (status, error)
    assert body.request_id
