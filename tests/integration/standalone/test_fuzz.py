"""Thousands of malformed and odd requests to `loci serve`: never a 500, always the one error shape, and it lives on."""

from __future__ import annotations

import gzip
import json
import random
import socket
from collections.abc import Iterator
from http.client import HTTPException, HTTPResponse
from typing import Final

import httpx
import pytest

from loci_contract.errors import ErrorBody
from loci_dev.rigs.standalone import ADMIN_KEY, Served

REQUESTS: Final = 3_000
SHAPELESS: Final = {204, 304}
METHODS: Final = [
    "GET",
    "HEAD",
    "POST",
    "PUT",
    "PATCH",
    "DELETE",
    "OPTIONS",
    "TRACE",
    "FOO",
    "get",
    "PROPFIND",
    "QUERY",
]
DOORS: Final = ("/v1/memories", "/v1/memories/search", "/v1/memories/batch", "/admin/tenants", "/v1/usage")
SEGMENTS: Final = [
    "v1",
    "v2",
    "memories",
    "search",
    "batch",
    "usage",
    "health",
    "admin",
    "tenants",
    "keys",
    "acme",
    "mem_1",
    "docs",
    "livez",
    "readyz",
    "metrics",
    "openapi.json",
    "check",
    "too-large",
    ".",
    "..",
    "%2e%2e",
    "%2f",
    "%00",
    "%",
    "%zz",
    "caf%C3%A9",
    "%ff",
    ";x",
    "\\",
    "~",
    "*",
    "{memory_id}",
    "%7B",
    "%0d%0aX-A:b",
    "",
    "a b",
    "x" * 300,
]
QUERIES: Final = ("", "?", "?limit=many", "?limit=1&limit=2", "?cursor=%00", "?x[]=1", "?order=up", "?a=" + "b" * 500)
TEXTS: Final = ("", "x", "\u0000", "\ud800", "é" * 50, "\U0001f9a6", "a" * 40_000, "1e999", "-1", "null", "\u202e")
NAMES: Final = [
    "content",
    "metadata",
    "query",
    "filters",
    "limit",
    "top_k",
    "mode",
    "threshold",
    "name",
    "tier",
    "limits",
    "expires_at",
    "created_at",
    "user_id",
    "scopes",
    "memories",
    "explain",
    "__proto__",
    "",
    "\x00",
]
HEADERS: Final = f"""Content-Type: application/xml
Content-Encoding: br
Content-Encoding: gzip
Content-Encoding: gzip, gzip
Expect: 100-continue
Expect: tea
X-Request-ID: \x01
X-Request-ID: {"r" * 200}
If-Match: *
X-Loci-Tenant: other
Connection: x-loci-tenant
Upgrade: h2c
Origin: https://evil.example
traceparent: 00-zz
Range: bytes=0-
Idempotency-Key:
Content-Length: -1
Transfer-Encoding: gzip
Transfer-Encoding: chunked
no colon""".split("\n")


def value(chance: random.Random, depth: int = 0) -> object:
    kind = chance.randrange(9 if depth < 4 else 6)
    if kind < 3:
        return chance.choice(TEXTS)
    if kind < 6:
        return chance.choice((None, True, -1, 0, 2**70, 1.5, 10**300, "2026-01-01T00:00:00Z"))
    if kind < 8:
        return {chance.choice(NAMES): value(chance, depth + 1) for _ in range(chance.randrange(4))}
    return [value(chance, depth + 1) for _ in range(chance.randrange(4))]


def body(chance: random.Random) -> bytes:
    match chance.randrange(8):
        case 0:
            return b""
        case 1:
            return chance.randbytes(chance.randrange(1, 200))
        case 2:
            return b"[" * 5_000
        case 3:
            return b'{"content": NaN, "a": 1e400, "content": "twice"'
        case 4:
            return gzip.compress(json.dumps(value(chance)).encode())
        case _:
            return json.dumps({chance.choice(NAMES): value(chance) for _ in range(4)}).encode()


def credentials(chance: random.Random, key: str) -> str:
    return chance.choice(
        (
            *(f"Authorization: Bearer {key}", f"X-API-Key: {key}", f"Authorization: Bearer {ADMIN_KEY}") * 3,
            *(f"Authorization: Token {key}", f"Authorization: {key}", "Authorization: Basic e30=", "X-No-Key: 1"),
            *("Authorization: Bearer sk-é", f"X-API-Key: {key}\r\nX-API-Key: {key}", "Authorization:"),
        )
    )


def request(chance: random.Random, key: str) -> tuple[str, bytes]:
    method = chance.choice(METHODS)
    path = "/".join(("", *(chance.choice(SEGMENTS) for _ in range(chance.randrange(1, 5)))))
    if chance.random() < 0.5:  # half of them at a real door
        path = chance.choice(DOORS)
    sent = body(chance)
    lines = ["Host: loci", credentials(chance, key), *chance.sample(HEADERS, chance.randrange(3))]
    if chance.random() < 0.9:
        lines.append(f"Content-Length: {len(sent)}")
    head = f"{method} {path}{chance.choice(QUERIES)} HTTP/1.1\r\n" + "".join(f"{line}\r\n" for line in lines)
    return method, head.encode("utf-8", "surrogatepass") + b"Connection: close\r\n\r\n" + sent


def exchange(address: tuple[str, int], method: str, raw: bytes) -> tuple[int, bytes] | None:
    """Status and body; None when the request was so broken that the connection was closed or more was waited for."""
    with socket.create_connection(address, timeout=30) as connection:
        try:
            connection.sendall(raw)
            connection.shutdown(socket.SHUT_WR)
            with HTTPResponse(connection, method=method) as response:
                response.begin()
                return response.status, response.read()
        except (ConnectionError, HTTPException):
            return None


@pytest.fixture
def exchanges(served: Served) -> Iterator[tuple[bytes, tuple[int, bytes] | None, str]]:
    chance = random.Random(20_261_125)  # noqa: S311 - reproducible, no secret
    key, url = served.key("acme"), httpx.URL(served.url)

    def run() -> Iterator[tuple[bytes, tuple[int, bytes] | None, str]]:
        for _ in range(REQUESTS):
            method, raw = request(chance, key)
            yield raw, exchange((url.host, url.port or 80), method, raw), method

    return run()


def test_no_request_breaks_it(served: Served, exchanges: Iterator[tuple[bytes, tuple[int, bytes] | None, str]]) -> None:
    answered = 0
    for raw, response, method in exchanges:
        if response is None:
            continue
        answered += 1
        status, content = response
        assert status < 500 or status == 503, (status, raw[:300], content)
        if status >= 400 and method != "HEAD" and status not in SHAPELESS:
            ErrorBody.model_validate_json(content)
    assert answered > REQUESTS * 0.9
    assert served.process.poll() is None
    with served.client(served.key("acme")) as client:
        assert client.get("/v1/usage").status_code in {200, 429}
    assert served.key("acme") not in served.log.read_text()
    assert "request failed" not in served.log.read_text()
