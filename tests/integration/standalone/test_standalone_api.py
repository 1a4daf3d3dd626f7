"""The public API of a whole `loci serve`, as an application meets it."""

from __future__ import annotations

import contextlib
import socket

import httpx
import pytest

from loci_contract import keys
from loci_contract.errors import ErrorBody
from loci_dev.rigs.standalone import ADMIN_KEY, Served

MEMORY = {"content": "The otter sleeps in the blue canoe.", "session_id": "river"}


def remember(client: httpx.Client) -> str:
    answer = client.post("/v1/memories", json=MEMORY)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def found(client: httpx.Client, query: str = "Where does the otter sleep?") -> list[str]:
    answer = client.post("/v1/memories/search", json={"query": query})
    assert answer.status_code == 200, answer.text
    return [result["id"] for result in answer.json()["results"]]


def refusal(answer: httpx.Response) -> tuple[int, str]:
    body = ErrorBody.model_validate_json(answer.content)
    assert body.request_id == answer.headers["x-request-id"]
    return answer.status_code, body.error


def test_what_is_stored_is_found(acme: httpx.Client) -> None:
    memory = remember(acme)
    assert memory in found(acme)
    assert acme.get(f"/v1/memories/{memory}").json()["content"] == MEMORY["content"]


@pytest.mark.invariant(1)
def test_another_tenant_sees_nothing_of_it(acme: httpx.Client, other: httpx.Client) -> None:
    memory = remember(acme)
    assert memory not in found(other)
    assert memory not in other.get("/v1/memories").text
    for method in ("GET", "PATCH", "PUT", "DELETE"):
        body = None if method in {"GET", "DELETE"} else {"content": "mine"}
        assert refusal(other.request(method, f"/v1/memories/{memory}", json=body)) == (404, "not_found")
    assert acme.get(f"/v1/memories/{memory}").json()["content"] == MEMORY["content"]


@pytest.mark.invariant(1)
def test_headers_of_ours_from_outside_change_nothing(served: Served, acme: httpx.Client, other: httpx.Client) -> None:
    memory = remember(acme)
    forged = {"x-loci-tenant": "acme", "x-loci-scopes": "admin", "x-loci-ingress-token": "guess"}
    assert other.get(f"/v1/memories/{memory}", headers=forged).status_code == 404
    with served.client() as stranger:
        assert refusal(stranger.get(f"/v1/memories/{memory}", headers=forged)) == (401, "unauthorized")


@pytest.mark.invariant(1)
def test_a_key_opens_its_own_tenant_only(served: Served) -> None:
    for key in (keys.generate("acme"), "sk-acme-guess", ADMIN_KEY, served.key("acme")[:-1]):
        with served.client(key) as client:
            assert refusal(client.get("/v1/memories")) == (401, "unauthorized")


BAD_REQUESTS = {
    "malformed JSON": ("POST", "/v1/memories", b'{"content": ', 400),
    "no JSON object": ("POST", "/v1/memories", b"[]", 422),
    "wrong type": ("POST", "/v1/memories", b'{"content": 7}', 422),
    "unknown field": ("POST", "/v1/memories", b'{"content": "a", "colour": "red"}', 422),
    "empty content": ("POST", "/v1/memories", b'{"content": ""}', 422),
    "invalid UTF-8": ("POST", "/v1/memories", b'{"content": "\xff\xfe"}', 400),
    "empty body": ("POST", "/v1/memories", b"", 422),
    "wrong method": ("DELETE", "/v1/memories/search", b"", 405),
    "method nobody has": ("TRACE", "/v1/memories", b"", 405),
    "unknown path": ("GET", "/v1/nothing", b"", 404),
    "unknown version": ("GET", "/v9/memories", b"", 404),
    "root": ("GET", "/", b"", 404),
    "path trick": ("GET", "/v1/%2e%2e%2fmetrics", b"", 400),
    "the policy's own door": ("GET", "/check/v1/memories", b"", 404),
    "bad limit": ("GET", "/v1/memories?limit=many", b"", 422),
    "admin without its key": ("GET", "/admin/tenants", b"", 401),
}


@pytest.mark.parametrize(("method", "path", "body", "status"), BAD_REQUESTS.values(), ids=BAD_REQUESTS.keys())
def test_bad_input_gets_a_4xx_in_the_one_shape(
    acme: httpx.Client, method: str, path: str, body: bytes, status: int
) -> None:
    answer = acme.request(method, path, content=body)
    assert answer.status_code == status, answer.text
    refusal(answer)


def test_1_mib_of_content_is_refused(acme: httpx.Client) -> None:
    answer = acme.post("/v1/memories", json={"content": "x" * 2**20})
    assert refusal(answer)[0] in {400, 413}


def test_an_empty_bucket_gets_429_with_its_headers(served: Served) -> None:
    with served.client(served.key("small")) as client:
        answers = [client.get("/v1/usage") for _ in range(22)]
    assert answers[0].headers["x-ratelimit-remaining"] == "19"
    last = answers[-1]
    assert refusal(last) == (429, "rate_limit_exceeded")
    assert last.json().keys() >= {"retry_after", "limit", "remaining", "reset_at"}
    assert {"retry-after", "ratelimit", "ratelimit-policy", "x-ratelimit-reset"} <= set(last.headers)


def test_health_is_the_platforms_or_the_tenants(served: Served, acme: httpx.Client) -> None:
    with served.client() as stranger:
        assert stranger.get("/health").json()["status"] == "healthy"
        assert stranger.get("/readyz").status_code == stranger.get("/livez").status_code == 200
    assert set(acme.get("/health").json()["components"]) == {"records", "vectors", "graph", "cache", "embedder"}


def test_metrics_need_the_admin_key_and_tell_of_every_tenant(served: Served, acme: httpx.Client) -> None:
    remember(acme)
    answer = acme.get("/metrics")
    assert (answer.status_code, ErrorBody.model_validate_json(answer.content).error) == (401, "unauthorized")
    with served.client(ADMIN_KEY) as admin:
        text = admin.get("/metrics").text
    for name in ("memory_requests_total", "memory_request_duration_seconds_count", "memory_entities_count"):
        assert f"{name}{{" in text
    assert 'memory_cache_hit_ratio{tenant="acme"}' in text
    assert "loci_policy_decisions_total" in text
    entities = [line for line in text.splitlines() if line.startswith('memory_entities_count{tenant="acme"}')]
    assert float(entities[0].split()[-1]) >= 1


@pytest.mark.invariant(5)
def test_nothing_secret_is_said_or_logged(served: Served, acme: httpx.Client) -> None:
    remember(acme)
    acme.post("/v1/memories", json={"content": "canary", "colour": "canary"})
    written = served.log.read_text()
    for secret in (served.key("acme"), ADMIN_KEY, MEMORY["content"], "canary"):
        assert secret not in written


def raw(served: Served, request: bytes) -> tuple[bytes, bytes]:
    """The head and the body of the answer to bytes as they are."""
    address = httpx.URL(served.url)
    with socket.create_connection((address.host, address.port or 0), timeout=30) as connection:
        with contextlib.suppress(ConnectionError):  # it need not read to the end what it refuses
            connection.sendall(request)
            connection.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: connection.recv(65_536), b""))
    head, _, body = answer.partition(b"\r\n\r\n")
    return head, body


@pytest.mark.parametrize("request_", [b"nonsense\r\n\r\n", b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n"])
def test_what_is_no_http_is_refused_in_the_one_shape(served: Served, request_: bytes) -> None:
    head, body = raw(served, request_)
    assert head.startswith(b"HTTP/1.1 400 ")
    assert ErrorBody.model_validate_json(body).error == "bad_request"


def test_headers_without_end_are_refused_before_they_end(served: Served) -> None:
    address = httpx.URL(served.url)
    with socket.create_connection((address.host, address.port or 0), timeout=30) as connection:
        connection.sendall(b"GET /health HTTP/1.1\r\nHost: a\r\n")
        with pytest.raises(ConnectionError):
            connection.sendall(b"X-A: b\r\n" * 5_000_000)


def test_an_offer_to_upgrade_loses_no_body(acme: httpx.Client) -> None:
    offer = {"connection": "Upgrade, HTTP2-Settings", "upgrade": "h2c", "http2-settings": "AAMAAABkAAQAoAAAAAIAAAAA"}
    assert acme.post("/v1/memories", json=MEMORY, headers=offer).status_code == 201


def test_a_request_that_breaks_off_makes_no_tenant(served: Served) -> None:
    body = b'{"name": "half", "tier": "free"}'
    head = f"POST /admin/tenants HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {ADMIN_KEY}\r\n"
    raw(served, head.encode() + b"Content-Length: 500\r\n\r\n" + body)
    with served.client(ADMIN_KEY) as admin:
        assert admin.get("/admin/tenants/half").status_code == 404
