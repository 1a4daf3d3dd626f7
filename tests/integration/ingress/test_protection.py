"""Requests made to mislead or exhaust the ingress, byte for byte through the real Envoy: none succeeds."""

from __future__ import annotations

import contextlib
import json
import socket
import struct
from collections.abc import Iterator
from http.client import HTTPResponse
from pathlib import Path

import httpx
import pytest

from loci_contract.errors import ErrorBody
from loci_contract.registry import Scope
from loci_dev.rigs.ingress import Ingress, Tenant, ingress, known

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, CONTINUATION = 0, 1, 3, 4, 6, 7, 9
OURS = {"x-loci-tenant", "x-loci-scopes", "x-loci-ingress-token", "x-loci-key-id", "x-loci-upstream"}


@pytest.fixture(scope="module")
def guarded(the_ingress: Ingress, pod: str) -> Iterator[Tenant]:
    with known(the_ingress, "guarded", pod, Scope.WRITE) as tenant:
        yield tenant


def exchange(place: Ingress, request: str) -> tuple[int, bytes]:
    with socket.create_connection(("127.0.0.1", place.envoy.port), timeout=20) as connection:
        connection.sendall(request.encode("latin-1"))
        answer = HTTPResponse(connection)
        answer.begin()
        return answer.status, answer.read()


def get(tenant: Tenant, path: str = "/v1/memories", *lines: str, method: str = "GET", host: str = "a") -> str:
    head = [f"{method} {path} HTTP/1.1", f"host: {host}", f"x-api-key: {tenant.key}", *lines]
    return "\r\n".join([*head, "", ""])


HOP_BY_HOP = [*sorted(OURS), "x-request-id", "x-api-key", "authorization"]


@pytest.mark.invariant(1)
@pytest.mark.parametrize("name", HOP_BY_HOP)
def test_a_header_that_is_named_hop_by_hop_is_not_lost(the_ingress: Ingress, guarded: Tenant, name: str) -> None:
    status, body = exchange(the_ingress, get(guarded, "/v1/memories", f"connection: close, {name}", f"{name}: mine"))
    if status == 200:
        seen = dict(json.loads(body)["headers"])
        assert seen.keys() >= OURS
        assert seen["x-loci-tenant"] == "guarded"
        assert seen["x-loci-ingress-token"] == guarded.record.ingress_token
    else:
        assert status in {400, 401}
        ErrorBody.model_validate_json(body)


CREDENTIALS = {
    "two schemes": ("authorization: Bearer {key}", "authorization: Basic e30="),
    "the same twice": ("authorization: Bearer {key}", "authorization: Bearer {key}"),
    "two keys in one": ("authorization: Bearer {key}, Bearer sk-other",),
    "another in the other header": ("authorization: Bearer sk-other",),
}


@pytest.mark.invariant(1)
@pytest.mark.parametrize("lines", CREDENTIALS.values(), ids=CREDENTIALS.keys())
def test_a_doubtful_credential_is_none(the_ingress: Ingress, guarded: Tenant, lines: tuple[str, ...]) -> None:
    sent = [line.format(key=guarded.key) for line in lines]
    status, body = exchange(the_ingress, get(guarded, "/v1/memories", *sent))
    assert status == 401
    ErrorBody.model_validate_json(body)


FRAMING = {
    "length and chunks": ("content-length: 4", "transfer-encoding: chunked"),
    "chunks and length": ("transfer-encoding: chunked", "content-length: 4"),
    "chunked twice": ("transfer-encoding: chunked", "transfer-encoding: chunked"),
    "chunked, identity": ("transfer-encoding: chunked, identity",),
    "space before the colon": ("content-length : 4",),
    "tab in the name": ("content-length\t: 4",),
    "two lengths": ("content-length: 4", "content-length: 5"),
    "list of lengths": ("content-length: 4, 5",),
    "signed length": ("content-length: +4",),
    "negative length": ("content-length: -4",),
    "hexadecimal length": ("content-length: 0x4",),
    "huge length": ("content-length: 99999999999999999999",),
    "NUL in a value": ("x-other: a\0b",),
}


@pytest.mark.invariant(1)
@pytest.mark.parametrize("lines", FRAMING.values(), ids=FRAMING.keys())
def test_a_body_of_doubtful_length_reaches_no_pod(
    the_ingress: Ingress, guarded: Tenant, lines: tuple[str, ...]
) -> None:
    body = "0\r\n\r\nGET /v1/memories HTTP/1.1\r\nhost: a\r\n\r\n"
    status, text = exchange(the_ingress, get(guarded, "/v1/memories", *lines, method="POST") + body)
    assert status in {400, 413}
    ErrorBody.model_validate_json(text)


@pytest.mark.invariant(1)
@pytest.mark.parametrize(
    "value", ["a\rx-loci-tenant: other", "a\r\n x-loci-tenant: other", "a\r\n\tx-loci-scopes: admin"]
)
def test_a_header_within_a_header_is_none(the_ingress: Ingress, guarded: Tenant, value: str) -> None:
    status, body = exchange(the_ingress, get(guarded, "/v1/memories", f"x-other: {value}"))
    if status == 200:
        seen = json.loads(body)["headers"]
        assert [text for name, text in seen if name == "x-loci-tenant"] == ["guarded"]
        assert [text for name, text in seen if name == "x-loci-scopes"] == ["read,write"]
        assert not [text for _, text in seen if set("\r\n\0") & set(text)]
    else:
        assert status == 400
        ErrorBody.model_validate_json(body)


PATHS = [
    "/v1/memories/..%2f..%2fmetrics",
    "/v1/memories/%2e%2e/%2e%2e/metrics",
    "/v1/memories/..;/metrics",
    "/v1/memories;a=b",
    "/v1/memories/a%3bb",
    "/v1/memories\\..\\..\\metrics",
    "/v1/memories/%5c..%5cmetrics",
    "/v1/memories/%00",
    "/v1/memories/%0d%0ax-loci-tenant:other",
    "/v1/memories/%c0%ae%c0%ae/metrics",
    "/v1/memories/%e0%80%ae",
    "/v1/memories/%zz",
    "/v1/memories/%",
    "/v1/memories/\xc0\xae",
    "/./v1/../v9/memories",
    "/V1/memories",
    "//other.example/v1/memories",
    "/v1/memories/" + "a" * 40_000,
]


@pytest.mark.invariant(1)
@pytest.mark.parametrize("path", PATHS, ids=lambda path: str(path)[:40].encode("unicode_escape").decode())
def test_a_path_that_is_not_plain_is_refused(the_ingress: Ingress, guarded: Tenant, path: str) -> None:
    status, body = exchange(the_ingress, get(guarded, path))
    assert status in {400, 401, 404, 431}
    ErrorBody.model_validate_json(body)


@pytest.mark.invariant(1)
@pytest.mark.parametrize("host", ["127.0.0.1:9", "loci-dataplane.loci-other.svc", "[::1]:80", "a@b", "*", "other:80"])
def test_a_host_leads_nowhere_else(the_ingress: Ingress, guarded: Tenant, pod: str, host: str) -> None:
    status, body = exchange(the_ingress, get(guarded, host=host))
    if status == 200:
        assert dict(json.loads(body)["headers"])["host"] == pod
    else:
        assert status == 400
        ErrorBody.model_validate_json(body)


@pytest.mark.parametrize("lines", [(), ("host: b",)], ids=["none", "two"])
def test_a_request_has_one_host(the_ingress: Ingress, guarded: Tenant, lines: tuple[str, ...]) -> None:
    request = get(guarded, "/v1/memories", *lines)
    if not lines:
        request = request.replace("host: a\r\n", "")
    status, body = exchange(the_ingress, request)
    assert status == 400
    ErrorBody.model_validate_json(body)


@pytest.mark.invariant(1)
@pytest.mark.parametrize("path", ["/v1/memories", "/admin/tenants", "/livez"])
def test_no_connection_is_upgraded(the_ingress: Ingress, guarded: Tenant, path: str) -> None:
    lines = ("connection: upgrade", "upgrade: websocket", "sec-websocket-key: a", "sec-websocket-version: 13")
    status, body = exchange(the_ingress, get(guarded, path, *lines))
    assert status == 403
    ErrorBody.model_validate_json(body)


@pytest.mark.invariant(1)
@pytest.mark.parametrize("target", ["127.0.0.1:9", "loci-redis:6379"])
def test_no_tunnel_is_opened(the_ingress: Ingress, guarded: Tenant, target: str) -> None:
    status, body = exchange(the_ingress, get(guarded, target, method="CONNECT", host=target))
    assert status in {400, 403, 404, 405}
    ErrorBody.model_validate_json(body)


def test_too_many_headers_are_refused(the_ingress: Ingress, guarded: Tenant) -> None:
    status, body = exchange(the_ingress, get(guarded, "/v1/memories", *(f"x-{n}: a" for n in range(101))))
    assert status == 431
    ErrorBody.model_validate_json(body)


def frame(kind: int, flags: int = 0, stream: int = 0, payload: bytes = b"") -> bytes:
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


REQUEST = b"\x82\x84\x86\x41\x01a"
"""HPACK: GET / http, authority `a`."""
FLOODS = {
    "settings": b"".join(frame(SETTINGS) for _ in range(20_000)),
    "pings": b"".join(frame(PING, payload=b"01234567") for _ in range(20_000)),
    "empty data": frame(HEADERS, 4, 1, REQUEST) + b"".join(frame(DATA, 0, 1) for _ in range(20_000)),
    "continuations": frame(HEADERS, 0, 1, REQUEST) + b"".join(frame(CONTINUATION, 0, 1) for _ in range(20_000)),
    "large continuations": frame(HEADERS, 0, 1, REQUEST)
    + b"".join(frame(CONTINUATION, 0, 1, b"\x00\x01a\x7f\x80\x7f" + b"b" * 255) for _ in range(2_000)),
    "rapid resets": b"".join(
        frame(HEADERS, 5, stream, REQUEST) + frame(RST_STREAM, 0, stream, b"\0\0\0\x08")
        for stream in range(1, 40_001, 2)
    ),
}


def is_closed_after(place: Ingress, sent: bytes) -> bool:
    with socket.create_connection(("127.0.0.1", place.envoy.port), timeout=20) as connection:
        try:
            connection.sendall(PREFACE + frame(SETTINGS) + sent)
            while connection.recv(65_536):
                pass
        except ConnectionError:
            return True
        except TimeoutError:
            return False
        return True


@pytest.mark.parametrize("sent", FLOODS.values(), ids=FLOODS.keys())
def test_a_flood_of_frames_ends_its_connection_and_harms_no_other(
    the_ingress: Ingress, guarded: Tenant, sent: bytes
) -> None:
    assert is_closed_after(the_ingress, sent)
    with httpx.Client(base_url=the_ingress.url) as client:
        assert client.get("/v1/memories", headers=guarded.bearer).status_code == 200


def test_connections_beyond_the_limit_are_closed_and_others_served(tmp_path: Path, pod: str) -> None:
    with (
        ingress(tmp_path, {}, ingress={"maxConnections": 4}) as limited,
        known(limited, "acme", pod) as tenant,
        contextlib.ExitStack() as opened,
        httpx.Client(base_url=limited.url) as client,
    ):
        tenant.until(client, 200)
        address = ("127.0.0.1", limited.envoy.port)
        connections = [opened.enter_context(socket.create_connection(address, timeout=10)) for _ in range(8)]
        assert {connection.recv(1) for connection in connections[4:]} == {b""}
        assert client.get("/v1/memories", headers=tenant.bearer).status_code == 200
