"""Around every request of a FastAPI application, as plain ASGI: its id, who may ask, its size, its log line."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bound_contextvars

from loci_contract import headers
from loci_contract.errors import ErrorCode
from loci_runtime.logs import place_of
from loci_runtime.requests import request_id, trace_id
from loci_runtime.responses import answer

OPEN: Final = frozenset({"/livez", "/readyz", "/metrics"})
"""What Kubernetes and Prometheus ask of the process itself; it needs no key and no line in the log."""
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

Guard = Callable[[Headers, str], Response | None]
"""Refuses a request, by its headers and with its id, or lets it pass."""


@dataclass(frozen=True)
class Rules:
    """What differs from one application's edge to another's.

    Args:
        guard: who may ask; not called for what is open.
        max_body_bytes: a longer body gets 413.
        context: fields of every line that is logged within a request.
        describe: fields of the request's own line, told from its scope once it is over.
        observe: told each request's method, status and seconds.
    """

    guard: Guard
    max_body_bytes: int
    context: Mapping[str, str] = field(default_factory=dict)
    describe: Callable[[Scope], dict[str, Any]] = lambda _: {}
    observe: Callable[[str, int, float], None] = lambda *_: None


class Edge:
    """The outermost layer of an application."""

    def __init__(self, app: ASGIApp, rules: Rules) -> None:
        self._app = app
        self._rules = rules
        self._log = structlog.get_logger()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, status, given = time.perf_counter(), 0, Headers(scope=scope)
        scope["request_id"] = own_id = request_id(given.get(headers.REQUEST_ID))

        async def answered(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)[headers.REQUEST_ID] = own_id
            await send(message)

        trace = trace_id(given.get("traceparent"))
        with bound_contextvars(**self._rules.context, request_id=own_id, trace_id=trace):
            try:
                await self._serve(scope, receive, answered, given)
            except Exception as error:  # noqa: BLE001 - the edge: a caller gets the one shape, the log no content
                self._log.error("request failed", error=type(error).__name__, where=place_of(error))
                if not status:
                    message = "Something went wrong on our side; the request id helps us to find it."
                    await answer(500, ErrorCode.INTERNAL, message, own_id)(scope, receive, answered)
            finally:
                self._note(scope, status or 500, time.perf_counter() - started)

    async def _serve(self, scope: Scope, receive: Receive, send: Send, given: Headers) -> None:
        if scope["path"] not in OPEN:
            refused = self._rules.guard(given, scope["request_id"])
            if refused is not None:
                await refused(scope, receive, send)
                return
        _say_json(scope)
        await self._app(scope, _limited(receive, given, self._rules.max_body_bytes), send)

    def _note(self, scope: Scope, status: int, seconds: float) -> None:
        if scope["path"] in OPEN:
            return
        method = scope["method"] if scope["method"] in _METHODS else "OTHER"
        self._rules.observe(method, status, seconds)
        self._log.info(
            "request",
            method=method,
            path=getattr(scope.get("route"), "path", None),
            status=status,
            latency_ms=round(seconds * 1000, 2),
            **self._rules.describe(scope),
        )


def _say_json(scope: Scope) -> None:
    """Every body is JSON, whatever a client's defaults call it (`curl -d` says it is a form)."""
    others = [(name, value) for name, value in scope["headers"] if name != b"content-type"]
    scope["headers"] = [*others, (b"content-type", b"application/json")]


def _limited(receive: Receive, given: Headers, most: int) -> Receive:
    """The same body, cut off with an error once it is too large."""
    declared = given.get("content-length", "0")
    size = int(declared) if declared.isdecimal() else 0
    counted = 0

    async def limited() -> Message:
        nonlocal counted
        message: Message = await receive() if size <= most else {}
        counted += len(message.get("body", b""))
        if max(size, counted) > most:
            raise HTTPException(413, f"The body may have at most {most} bytes.")
        return message

    return limited
