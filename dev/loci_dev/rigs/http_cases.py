"""Requests and the responses that they get at any front door: Envoy with policy and pod, or `loci serve`.

The tests of both run this one table, so that neither door drifts from the other.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import httpx

from loci_contract.errors import ErrorBody

MEMORIES, MEMORY, SEARCH = "/v1/memories", "/v1/memories/mem_none", "/v1/memories/search"
_OF_MEMORIES = "GET, HEAD, POST, DELETE, OPTIONS"
_OF_MEMORY = "GET, HEAD, PUT, PATCH, DELETE, OPTIONS"
_READ_ONLY = "GET, HEAD, OPTIONS"


@dataclass(frozen=True)
class Case:
    """A request, and what its response must be; `message` is a part of the error's message."""

    method: str
    path: str
    status: int
    allow: str | None = None
    message: str | None = None
    key: bool = True
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    def __str__(self) -> str:
        return (
            f"{self.method} {self.path} {self.status} {'' if self.key else 'without key'} {self.message or ''}".strip()
        )


CASES = (
    *(Case(method, SEARCH, 405, "POST, OPTIONS") for method in ("GET", "HEAD", "PUT", "PATCH", "DELETE", "TRACE")),
    *(Case(method, MEMORIES, 405, _OF_MEMORIES) for method in ("PUT", "PATCH", "TRACE", "PROPFIND")),
    *(Case(method, MEMORY, 405, _OF_MEMORY) for method in ("POST", "TRACE")),
    *(Case(method, "/v1/usage", 405, _READ_ONLY) for method in ("POST", "PUT", "PATCH", "DELETE")),
    *(Case(method, "/health", 405, _READ_ONLY) for method in ("POST", "DELETE")),
    Case("DELETE", SEARCH, 405, "POST, OPTIONS", key=False),
    Case("POST", "/health", 405, _READ_ONLY, key=False),
    Case("POST", "/livez", 405, _READ_ONLY, key=False),
    Case("DELETE", "/metrics", 405, _READ_ONLY, key=False),
    Case("OPTIONS", MEMORIES, 204, _OF_MEMORIES),
    Case("OPTIONS", MEMORIES, 204, _OF_MEMORIES, key=False),
    Case("OPTIONS", MEMORY, 204, _OF_MEMORY, key=False),
    Case("OPTIONS", "/health", 204, _READ_ONLY, key=False),
    Case("OPTIONS", "/readyz", 204, _READ_ONLY, key=False),
    Case("OPTIONS", "/v1/nothing", 404, key=False),
    Case("HEAD", MEMORIES, 200),
    Case("HEAD", "/v1/usage", 200),
    Case("HEAD", "/health", 200),
    Case("HEAD", "/health", 200, key=False),
    Case("HEAD", "/livez", 200, key=False),
    Case("HEAD", "/readyz", 200, key=False),
    Case("GET", "/openapi.json", 200, key=False),
    Case("HEAD", "/docs", 200, key=False),
    Case("GET", "/docs/page.js", 200, key=False),
    Case("GET", "/docs/nothing.js", 404, key=False),
    Case("POST", "/openapi.json", 405, _READ_ONLY, key=False),
    Case("HEAD", MEMORY, 404),
    Case("HEAD", MEMORIES, 401, key=False),
    Case("HEAD", "/metrics", 401, key=False),
    Case("GET", MEMORY, 404),
    Case("GET", f"{MEMORIES}/", 404, message=f"use {MEMORIES}, without a slash"),
    Case("POST", f"{SEARCH}/", 404, message=f"use {SEARCH}, without a slash"),
    Case("GET", f"{MEMORY}/", 404, message="use /v1/memories/{memory_id}, without a slash"),
    Case("GET", "/health/", 404, message="use /health, without a slash", key=False),
    Case("GET", "/v1", 404),
    Case("GET", "/", 404, key=False),
    Case("GET", "/v9/memories", 404),
    Case("GET", MEMORIES, 401, message="No API key was sent", key=False),
    *(
        Case(
            "GET",
            MEMORIES,
            401,
            message="not of the form `Bearer <API key>`",
            key=False,
            headers={"authorization": value},
        )
        for value in ("Token sk-acme-x", "Basic dXNlcjpwYXNz", "sk-acme-x", "Bearer")
    ),
    Case("GET", MEMORIES, 401, message="not an API key", key=False, headers={"authorization": "Bearer sk-acme-x"}),
    Case("POST", MEMORIES, 415, message="use one of gzip", headers={"content-encoding": "br"}, body=b"{}"),
    Case("POST", MEMORIES, 400, message="not valid gzip", headers={"content-encoding": "gzip"}, body=b"{}"),
    Case("POST", MEMORIES, 400, message="not valid UTF-8 JSON", body=b"{"),
)


def check(client: httpx.Client, key: str, case: Case) -> None:
    """Send a case's request and compare its response."""
    credentials = {"authorization": f"Bearer {key}"} if case.key else {}
    response = client.request(
        case.method, case.path, headers={**credentials, **case.headers}, content=case.body or None
    )
    assert (response.status_code, response.headers.get("allow")) == (case.status, case.allow), response.text
    assert response.headers["x-request-id"]
    if case.method == "HEAD" or case.status < 400:  # noqa: PLR2004 - HTTP's own
        assert response.content == b"" or case.method == "GET"
        return
    body = ErrorBody.model_validate_json(response.content)
    assert (case.message or "") in body.message
    assert key not in response.text


def check_head(client: httpx.Client, key: str, path: str) -> None:
    """HEAD has the status and the headers of GET, but for those that tell the moment."""
    get, head = (client.request(method, path, headers={"authorization": f"Bearer {key}"}) for method in ("GET", "HEAD"))
    assert head.status_code == get.status_code
    assert head.content == b""
    moments = {"date", "x-request-id", "ratelimit", "x-ratelimit-remaining", "x-ratelimit-reset"}
    assert {k: v for k, v in head.headers.items() if k not in moments} == {
        k: v for k, v in get.headers.items() if k not in moments
    }


PAGE = "https://app.example.com"


def check_cors(client: httpx.Client, key: str) -> None:
    """A door that is configured for PAGE lets its pages call, and no others."""
    asks = {"access-control-request-method": "POST", "access-control-request-headers": "authorization"}
    preflight = client.options(SEARCH, headers={"origin": PAGE, **asks})
    assert preflight.status_code == 204  # noqa: PLR2004 - HTTP's own
    assert preflight.headers["access-control-allow-origin"] == PAGE
    assert "POST" in preflight.headers["access-control-allow-methods"]
    assert "authorization" in preflight.headers["access-control-allow-headers"]
    for credentials in ({"authorization": f"Bearer {key}"}, {}):  # 200, and a refusal that the page can read, too
        response = client.get("/v1/usage", headers={"origin": PAGE, **credentials})
        assert response.headers["access-control-allow-origin"] == PAGE
        assert "x-request-id" in response.headers["access-control-expose-headers"]
    other = client.options(SEARCH, headers={"origin": "https://evil.example", **asks})
    assert not [name for name in other.headers if name.startswith("access-control")]
