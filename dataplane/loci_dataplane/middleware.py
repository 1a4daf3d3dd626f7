"""Around every request, as plain ASGI: its id, the ingress token, its size, its log line, its metrics."""

from __future__ import annotations

import hmac
import re
import time
import uuid
from typing import Final

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bound_contextvars

from loci_contract import headers
from loci_contract.errors import ErrorCode
from loci_dataplane.answers import answer
from loci_dataplane.metrics import TenantMetrics

MAX_BODY_BYTES: Final = 524_288
"""Room for the longest content with each character written as two `\\uXXXX`."""
_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,128}")
_TRACE_PARENT: Final = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}.*")
"""W3C Trace Context's `traceparent`."""
_OPEN: Final = frozenset({"/livez", "/readyz", "/metrics"})
"""What Kubernetes and Prometheus ask of the pod itself; none of it is about a memory."""
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Edge:
    """The outermost layer of a tenant's application."""

    def __init__(self, app: ASGIApp, tenant: str, ingress_token: str, metrics: TenantMetrics) -> None:
        self._app = app
        if not ingress_token:
            raise ValueError("the ingress token is empty: every request would pass")
        self._token = ingress_token.encode()
        self._metrics = metrics
        self._tenant = tenant
        self._log = structlog.get_logger()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        given = Headers(scope=scope)
        scope["request_id"] = request_id = _request_id(given)
        scope["entities_returned"] = None
        status = 500

        async def answered(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)[headers.REQUEST_ID] = request_id
            await send(message)

        with bound_contextvars(tenant_id=self._tenant, request_id=request_id, trace_id=_trace_id(given)):
            try:
                await self._serve(scope, receive, answered, given)
            finally:
                self._note(scope, status, time.perf_counter() - started)

    async def _serve(self, scope: Scope, receive: Receive, send: Send, given: Headers) -> None:
        request_id, started = scope["request_id"], False

        async def sent(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        if scope["path"] not in _OPEN and not self._came_through_the_ingress(given):
            refused = answer(403, ErrorCode.FORBIDDEN, "Requests come through the ingress.", request_id)
            await refused(scope, receive, sent)
            return
        _say_json(scope)
        try:
            await self._app(scope, _limited(receive, given), sent)
        except Exception as error:  # noqa: BLE001 - the edge: a caller gets the one shape, the log no content
            self._log.error("request failed", error=type(error).__name__, where=_where(error))
            if not started:
                message = "Something went wrong on our side; the request id helps us to find it."
                await answer(500, ErrorCode.INTERNAL, message, request_id)(scope, receive, send)

    def _came_through_the_ingress(self, given: Headers) -> bool:
        return hmac.compare_digest(given.get(headers.INGRESS_TOKEN, "").encode("latin-1"), self._token)

    def _note(self, scope: Scope, status: int, seconds: float) -> None:
        if scope["path"] in _OPEN:
            return
        method = scope["method"] if scope["method"] in _METHODS else "OTHER"
        self._metrics.observe(method, status, seconds)
        route = scope.get("route")
        self._log.info(
            "request",
            method=method,
            path=getattr(route, "path", None),
            status=status,
            latency_ms=round(seconds * 1000, 2),
            entities_returned=scope["entities_returned"],
        )


def _request_id(given: Headers) -> str:
    asked = given.get(headers.REQUEST_ID, "")
    return asked if _REQUEST_ID.fullmatch(asked) else str(uuid.uuid4())


def _trace_id(given: Headers) -> str | None:
    parent = _TRACE_PARENT.fullmatch(given.get("traceparent", ""))
    return parent and parent[1]


def _say_json(scope: Scope) -> None:
    """Every body is JSON, whatever a client's defaults call it (`curl -d` says it is a form)."""
    others = [(name, value) for name, value in scope["headers"] if name != b"content-type"]
    scope["headers"] = [*others, (b"content-type", b"application/json")]


def _limited(receive: Receive, given: Headers) -> Receive:
    """The same body, cut off with an error once it is too large."""
    declared = given.get("content-length", "0")
    size = int(declared) if declared.isdecimal() else 0
    counted = 0

    async def limited() -> Message:
        nonlocal counted
        message = await receive()
        counted += len(message.get("body", b""))
        if max(size, counted) > MAX_BODY_BYTES:
            raise HTTPException(413, f"The body may have at most {MAX_BODY_BYTES} bytes.")
        return message

    return limited


def _where(error: BaseException) -> str:
    """The innermost line of code, without values."""
    trace, place = error.__traceback__, "unknown"
    while trace is not None:
        place = f"{trace.tb_frame.f_code.co_qualname}:{trace.tb_lineno}"
        trace = trace.tb_next
    return place
