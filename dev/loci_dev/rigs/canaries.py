"""Words that may appear nowhere, each sent in one place of a request, and the search for them afterwards.

Each canary is a random word of its own, so that one that is found tells where it was sent. Requests go through every
route, and through the ways in which they fail. Memory content is a canary where it is stored as well as where it is
refused; a real API key is a canary in all places but its own.
"""

from __future__ import annotations

import contextlib
import gzip
import secrets
import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final

import httpx
import orjson

_HEADERS: Final = (
    "user-agent",
    "referer",
    "cookie",
    "x-forwarded-for",
    "x-forwarded-host",
    "forwarded",
    "x-real-ip",
    "tracestate",
    "baggage",
    "traceparent",
    "origin",
    "if-match",
    "idempotency-key",
    "accept",
    "content-type",
    "x-loci-tenant",
    "x-loci-upstream",
    "x-loci-lease",
    "x-loci-operation",
    "x-envoy-original-path",
    "x-envoy-decorator-operation",
    "proxy-authorization",
)
_QUERIES: Final = ("user_id", "cursor", "limit", "filter", "api_key", "entity", "depth", "q")
_PATHS: Final = (
    "/v1/memories/{}",
    "/v1/memories/{}/history",
    "/v1/erasures/{}",
    "/v1/{}",
    "/{}",
    "/v2/{}",
    "/docs/{}",
    "/admin/tenants/{}",
    "/v1/memories/%2f{}",
    "/v1/../{}",
    "/v1/memories/{}%00",
)
_TOO_LONG: Final = 600_000


@dataclass
class Canaries:
    """The words that were sent, by what they are in, and the answers that refused a request."""

    sent: dict[str, str] = field(default_factory=dict)
    refusals: list[str] = field(default_factory=list)

    def word(self, place: str) -> str:
        """A new word for a place."""
        made = f"canary{secrets.token_hex(8)}"
        self.sent[made] = place
        return made

    def found_in(self, name: str, text: str) -> list[str]:
        """Which of them a text has: the text's name, the place, and the characters around the word."""
        told = self.sent.items() if name != "refusals" else self._values()
        places = [(place, text.find(word)) for word, place in told]
        return [f"{name}: {place}: {text[max(0, at - 160) : at + 80]!r}" for place, at in places if at >= 0]

    def _values(self) -> list[tuple[str, str]]:
        """All but names of fields and the like, which the answer that refuses them tells to their sender alone."""
        return [(word, place) for word, place in self.sent.items() if not place.startswith("name of")]

    def keep(self, answer: httpx.Response) -> httpx.Response:
        """Keep an answer that refuses."""
        if answer.is_error:
            self.refusals.append(f"{answer.status_code} {dict(answer.headers)} {answer.text}")
        return answer


def tenant_requests(client: httpx.Client, canaries: Canaries, key: str) -> None:
    """Send canaries through every route of a tenant's API, in every part of a request."""
    _headers(client, canaries, key)
    _paths(client, canaries, key)
    _bodies(client, canaries)
    _wrong_bodies(client, canaries)
    _raw(client, canaries)


def admin_requests(client: httpx.Client, canaries: Canaries, admin_key: str) -> None:
    """Send canaries to the admin API; the admin key is one, too."""
    canaries.sent[admin_key] = "the admin key"
    bodies: list[dict[str, Any]] = [
        {"name": canaries.word("tenant that is refused") + "x" * 300, "tier": "pro"},
        {"name": "named", "tier": canaries.word("name of a tier")},
        {"name": "named", "tier": "pro", canaries.word("name of an unknown field"): 1},
        {"name": "named", "tier": "pro", "limits": {"max_memories": canaries.word("limit")}},
    ]
    for body in bodies:
        canaries.keep(client.post("/admin/tenants", json=body))
    for name in _HEADERS:
        canaries.keep(client.get("/admin/tenants", headers={name: canaries.word(f"admin header {name}")}))
    for path in ("/admin/{}", "/admin/tenants/{}", "/admin/tenants/acme/keys/{}"):
        for method in ("GET", "DELETE", "PATCH"):
            canaries.keep(client.request(method, path.format("x_" + canaries.word(f"admin path {method}"))))
            canaries.keep(client.request(method, path.format("x"), params={"q": canaries.word("admin query")}))
    canaries.keep(client.post("/admin/tenants", content=b"{" + canaries.word("broken admin body").encode()))
    wrong = {"authorization": f"Bearer {canaries.word('wrong admin key')}"}
    canaries.keep(client.get("/admin/tenants", headers=wrong))
    canaries.keep(client.get("/admin/tenants", headers={"x-request-id": f"sk-{canaries.word('admin request id')}"}))


def _headers(client: httpx.Client, canaries: Canaries, key: str) -> None:
    for name in _HEADERS:
        for path in ("/v1/memories", "/v1/usage", "/nowhere", "/readyz"):
            canaries.keep(client.get(path, headers={name: canaries.word(f"header {name}")}))
        canaries.keep(client.post("/v1/memories", json={}, headers={name: canaries.word(f"header {name}, POST")}))
        canaries.keep(client.get("/v1/usage", headers={name: f"Bearer {key}"}))
    canaries.keep(client.get("/v1/usage", headers={canaries.word("name of a header"): "1"}))
    canaries.keep(client.get("/v1/usage", headers={"host": canaries.word("host")}))
    for credential in ("Bearer sk-{}", "Basic {}", "{}", "Bearer {} {}", f"Bearer {key}{{}}"):
        value = credential.replace("{}", canaries.word(f"credential {credential[:12]}"))
        canaries.keep(client.get("/v1/usage", headers={"authorization": value}))
        canaries.keep(client.get("/v1/usage", headers={"authorization": "", "x-api-key": value}))
    for secret in (key, f"x{key}", f"sk-acme-{canaries.word('request id like a key')}"):
        for path in ("/v1/usage", "/nowhere", "/readyz", "/v1/%2f"):
            canaries.keep(client.get(path, headers={"x-request-id": secret}))


def _paths(client: httpx.Client, canaries: Canaries, key: str) -> None:
    for path in _PATHS:
        for method in ("GET", "PUT", "PATCH", "DELETE", "POST"):
            sent = path.format(canaries.word(f"path {path}"))
            canaries.keep(client.request(method, sent, json={"content": canaries.word(f"content at {path}")}))
        canaries.keep(client.get(path.format(key)))
        without = str(client.base_url).rstrip("/") + path.format(canaries.word("path without a key"))
        canaries.keep(httpx.get(without))
    for parameter in _QUERIES:
        for path in ("/v1/memories", "/v1/export", "/v2/facts", "/v2/entities", "/v2/graph/neighbors", "/v1/nowhere"):
            canaries.keep(client.get(path, params={parameter: canaries.word(f"query {parameter}")}))
        canaries.keep(client.get("/v1/memories", params={parameter: key}))
    canaries.keep(client.get("/v1/memories", params={canaries.word("name of a parameter"): "1"}))
    canaries.keep(client.request("SEARCH", f"/v1/{canaries.word('path of an unknown method')}"))


def _bodies(client: httpx.Client, canaries: Canaries) -> None:
    """Content, as it is stored, changed, found, exported and erased."""
    word = canaries.word
    who = {name: word(name) for name in ("user_id", "agent_id", "session_id")}
    metadata = {word("name of metadata"): word("metadata"), "deep": {"er": [word("deep metadata")]}}
    memory = {"content": f"Ada told {word('content')} to Grace", "metadata": metadata, **who}
    made = canaries.keep(client.post("/v1/memories", json=memory, headers={"idempotency-key": word("idempotency key")}))
    memory_id = made.json()["id"]
    for method in ("PUT", "PATCH"):
        canaries.keep(
            client.request(method, f"/v1/memories/{memory_id}", json={"content": word(f"content of {method}")})
        )
    for version in ("/v1", "/v2"):
        for mode in ("hybrid", "vector", "keyword", "graph", word("mode")):
            body = {"query": f"Who is {word('query')}?", "mode": mode, "filters": {"user_id": who["user_id"]}}
            canaries.keep(client.post(f"{version}/memories/search", json=body))
    for filters in _filters(word):
        canaries.keep(client.post("/v1/memories/search", json={"query": word("query"), "filters": filters}))
        canaries.keep(client.post("/v1/erasures", json={"filters": filters}))
    canaries.keep(
        client.post(
            "/v1/memories/batch", json={"memories": [memory, {"content": 1, word("name of an unknown field"): 1}]}
        )
    )
    messages = [{"role": "user", "name": word("speaker"), "content": f"I live in {word('message')}."}]
    canaries.keep(client.post("/v2/memories", json={"messages": messages, **who}))
    canaries.keep(client.post("/v2/context", json={"query": word("context query"), "user_id": who["user_id"]}))
    canaries.keep(client.get(f"/v1/memories/{memory_id}/history"))
    lines = client.get("/v1/export").content
    canaries.keep(client.post("/v1/import", content=lines, headers={"content-type": "application/x-ndjson"}))
    canaries.keep(client.post("/v1/import", content=b'{"content": "' + word("broken import").encode()))
    canaries.keep(client.post("/v1/erasures", json={"user_id": who["user_id"]}))
    canaries.keep(client.delete(f"/v1/memories/{memory_id}"))


def _filters(word: Callable[[str], str]) -> Iterable[Any]:
    yield {word("name of a field of a filter"): {"eq": word("value of a filter")}}
    yield {"user_id": {word("name of an operator of a filter"): 1}}
    yield {"metadata.x": {"gt": word("value compared")}}
    yield {"AND": word("no list")}
    yield {"created_at": {"gt": word("no time")}}


def _wrong_bodies(client: httpx.Client, canaries: Canaries) -> None:
    word = canaries.word
    long = word("body that is too long") + "x" * _TOO_LONG
    bodies: dict[str, bytes] = {
        "broken": b'{"content": "' + word("broken body").encode(),
        "wrong types": orjson.dumps(
            {"content": [word("type")], "expires_at": word("no time"), "metadata": word("no map")}
        ),
        "unknown field": orjson.dumps({"content": "x", word("name of a field"): word("its value")}),
        "no UTF-8": b'{"content": "\xff' + word("no UTF-8").encode() + b'"}',
        "too long": orjson.dumps({"content": long}),
        "too deep": b'{"metadata": ' + b'{"a": ' * 500 + orjson.dumps(word("too deep")) + b"}" * 501,
        "number": b'{"content": "' + word("beside a number").encode() + b'", "metadata": {"a": 1e999}}',
        "surrogate": b'{"content": "' + word("surrogate").encode() + b' \\ud800"}',
        "null": b'{"content": "' + word("null").encode() + b' \\u0000"}',
    }
    for path in (
        "/v1/memories",
        "/v1/memories/search",
        "/v1/memories/batch",
        "/v2/memories",
        "/v1/erasures",
        "/v2/context",
    ):
        for body in bodies.values():
            with contextlib.suppress(httpx.TransportError):
                canaries.keep(client.post(path, content=body, headers={"content-type": "application/json"}))
    packed = gzip.compress(word("gzip").encode())[:-4]
    canaries.keep(client.post("/v1/memories", content=packed, headers={"content-encoding": "gzip"}))
    unknown = {"content-encoding": word("content encoding")}
    canaries.keep(client.post("/v1/memories", content=b"{}", headers=unknown))


def _raw(client: httpx.Client, canaries: Canaries) -> None:
    """Requests that no client library sends."""
    word, url = canaries.word, client.base_url
    for text in (
        f"{word('method')} /v1/usage HTTP/1.1\r\nhost: x\r\n\r\n",
        f"GET /{word('space in a path')} x HTTP/1.1\r\nhost: x\r\n\r\n",
        f"GET /v1/usage HTTP/{word('version')}\r\nhost: x\r\n\r\n",
        f"GET /v1/usage HTTP/1.1\r\nhost: x\r\n{word('header without a colon')}\r\n\r\n",
        f"GET /v1/usage HTTP/1.1\r\nhost: x\r\nx_under: {word('underscore')}\r\n\r\n",
        f"POST /v1/memories HTTP/1.1\r\nhost: x\r\ncontent-length: {word('length')}\r\n\r\n",
        f"POST /v1/memories HTTP/1.1\r\nhost: x\r\ntransfer-encoding: {word('transfer encoding')}\r\n\r\n",
        f"GET http://{word('absolute host')}/v1/{word('absolute path')} HTTP/1.1\r\nhost: x\r\n\r\n",
        f"CONNECT {word('tunnel')}:443 HTTP/1.1\r\nhost: x\r\n\r\n",
    ):
        with socket.create_connection((url.host, url.port or 80), timeout=5) as connection:
            connection.sendall(text.encode())
            with contextlib.suppress(OSError):
                canaries.refusals.append(connection.recv(65_536).decode("latin-1"))
