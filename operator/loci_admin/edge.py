"""Around every request, as plain ASGI: its id, the admin key, its log line."""

from __future__ import annotations

import hashlib
import hmac
import re
import time
import uuid
from typing import Final

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from loci_admin.answers import answer
from loci_contract import headers
from loci_contract.errors import ErrorCode
from loci_contract.names import is_tenant_name

_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,128}")
_TRACE_PARENT: Final = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}.*")
_OPEN: Final = frozenset({"/livez", "/readyz", "/metrics"})
_MAX_BODY_BYTES: Final = 65_536


class Edge:
    """The outermost layer; `admin_key_sha256` is hexadecimal."""

    def __init__(self, app: ASGIApp, admin_key_sha256: str) -> None:
        self._app = app
        self._admin_key_sha256 = admin_key_sha256
        self._log = structlog.get_logger()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, status, given = time.perf_counter(), 500, Headers(scope=scope)
        asked = given.get(headers.REQUEST_ID, "")
        scope["request_id"] = request_id = asked if _REQUEST_ID.fullmatch(asked) else str(uuid.uuid4())

        async def answered(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)[headers.REQUEST_ID] = request_id
            await send(message)

        try:
            await self._serve(scope, receive, answered, given)
        except Exception as error:  # noqa: BLE001 - the edge: a caller gets the one shape, the log no content
            self._log.error("request failed", request_id=request_id, error=type(error).__name__)
            message = "Something went wrong on our side; the request id helps us to find it."
            await answer(500, ErrorCode.INTERNAL, message, request_id)(scope, receive, answered)
        finally:
            self._note(scope, status, time.perf_counter() - started)

    async def _serve(self, scope: Scope, receive: Receive, send: Send, given: Headers) -> None:
        request_id = scope["request_id"]
        if scope["path"] not in _OPEN and not self._is_admin(given):
            message = "Send the admin key as `Authorization: Bearer ...` or `X-API-Key: ...`."
            refused = answer(401, ErrorCode.UNAUTHORIZED, message, request_id)
            refused.headers["WWW-Authenticate"] = 'Bearer realm="loci-admin"'
            await refused(scope, receive, send)
            return
        body = await _body(receive)
        if body is None:
            message = f"The body may have at most {_MAX_BODY_BYTES} bytes."
            await answer(413, ErrorCode.PAYLOAD_TOO_LARGE, message, request_id)(scope, receive, send)
            return
        # Every body is JSON, whatever a client's defaults call it (`curl -d` says it is a form).
        others = [(name, value) for name, value in scope["headers"] if name != b"content-type"]
        scope["headers"] = [*others, (b"content-type", b"application/json")]
        await self._app(scope, _again(body), send)

    def _is_admin(self, given: Headers) -> bool:
        scheme, _, token = given.get("authorization", "").partition(" ")
        key = token.strip() if scheme.lower() == "bearer" else given.get(headers.API_KEY, "")
        digest = hashlib.sha256(key.encode("latin-1")).hexdigest()
        return hmac.compare_digest(digest, self._admin_key_sha256)

    def _note(self, scope: Scope, status: int, seconds: float) -> None:
        if scope["path"] in _OPEN:
            return
        self._log.info(
            "request",
            tenant_id=_tenant(scope),
            request_id=scope["request_id"],
            trace_id=_trace_id(Headers(scope=scope)),
            method=scope["method"] if scope["method"].isalpha() else "OTHER",
            path=getattr(scope.get("route"), "path", None),
            status=status,
            latency_ms=round(seconds * 1000, 2),
        )


def _tenant(scope: Scope) -> str | None:
    """The tenant that the path names; not what somebody put there by mistake, such as a key."""
    named = scope.get("path_params", {}).get("tenant_id", "")
    return named if is_tenant_name(named) else None


def _trace_id(given: Headers) -> str | None:
    parent = _TRACE_PARENT.fullmatch(given.get("traceparent", ""))
    return parent and parent[1]


async def _body(receive: Receive) -> bytes | None:
    """The whole body, or None when it is too large."""
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > _MAX_BODY_BYTES:
            return None
    return body


def _again(body: bytes) -> Receive:
    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive
