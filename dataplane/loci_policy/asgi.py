"""ASGI parts of the policy: request parsing shared with its server, and the middleware that `loci serve` uses."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final

from loci_contract import headers
from loci_policy.decision import Request
from loci_policy.gate import Gate, Pass
from loci_policy.responses import Response
from loci_policy.table import Headers
from loci_runtime.requests import request_id
from loci_runtime.tracing import parent_of, span

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

REQUEST_ID: Final = headers.REQUEST_ID.encode()
_NO_CONTENT: Final = 204
_OURS: Final = headers.PREFIX.encode()
_CREDENTIALS: Final = (b"authorization", headers.API_KEY.encode())


def header(scope: Scope, name: bytes) -> str | None:
    """Value of a header; repeated headers are joined, so that a repeated credential is never valid."""
    values = [value for key, value in scope["headers"] if key == name]
    return b", ".join(values).decode("latin-1") if values else None


def request_id_of(scope: Scope) -> str:
    """Request id sent by the client, or a new one."""
    return request_id(header(scope, REQUEST_ID), *(header(scope, name) for name in _CREDENTIALS))


def request_of(scope: Scope, path: str) -> Request:
    """Parts of a request that the decision depends on."""
    authorization, api_key = (header(scope, name) for name in _CREDENTIALS)
    return Request(scope["method"], path, authorization, api_key, header(scope, b"origin"))


def raw_path(scope: Scope) -> str:
    """Raw path as received, percent-encoded."""
    return bytes(scope["raw_path"]).decode("latin-1")


async def send_response(scope: Scope, send: Send, response: Response, more: Headers = ()) -> None:
    """Send a response with additional headers; without a body for HEAD."""
    length = () if response.status == _NO_CONTENT else ((b"content-length", b"%d" % len(response.body)),)
    headers = [*response.headers, *length, *more]
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else response.body})


class PolicyMiddleware:
    """Forwards admitted requests to the tenant's application, replacing client-sent copies of internal headers."""

    def __init__(self, gate: Gate, app_of: Callable[[str], App]) -> None:
        self._gate = gate
        self._app_of = app_of

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one HTTP request."""
        own_id = request_id_of(scope)
        echoed = (REQUEST_ID, own_id.encode())
        with span("rate_limiter", parent_of(scope)) as deciding:
            decision = await self._gate.admit(request_of(scope, raw_path(scope)), own_id)
            deciding.set(http__response__status_code=decision.status if isinstance(decision, Response) else 200)
        if isinstance(decision, Response):
            await send_response(scope, send, decision, (echoed,))
            return
        app = self._app_of(decision.grant.record.tenant)
        await app(_upstream(scope, decision, echoed), receive, _adding(send, (echoed, *decision.client_headers)))


def _upstream(scope: Scope, passed: Pass, echoed: tuple[bytes, bytes]) -> Scope:
    kept = [(key, value) for key, value in scope["headers"] if not _is_replaced(key)]
    return {**scope, "headers": [*kept, echoed, *passed.grant.upstream_headers]}


def _is_replaced(name: bytes) -> bool:
    return name.startswith(_OURS) or name == REQUEST_ID or name in _CREDENTIALS


def _adding(send: Send, more: Headers) -> Send:
    names = {name for name, _ in more}

    async def send_with_more(message: Message) -> None:
        if message["type"] == "http.response.start":
            kept = [(name, value) for name, value in message.get("headers", ()) if bytes(name).lower() not in names]
            message = {**message, "headers": [*kept, *more]}
        await send(message)

    return send_with_more
