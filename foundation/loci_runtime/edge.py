"""The outermost layer of every application, as plain ASGI: request id, method, authorization, body size, log line.

It checks the method first, where the path is known (405, or 204 to OPTIONS), then the key (401 or 403), then the path
(404) and the body's encoding (415). HEAD is served as GET without its body.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bound_contextvars

from loci_contract import headers
from loci_contract.errors import ErrorCode
from loci_contract.routes import PROBES, UNKNOWN_OPERATION, Resource, Routes, not_allowed_message
from loci_runtime.bodies import ACCEPTED, ENCODINGS, bounded, content_encoding
from loci_runtime.draining import drained
from loci_runtime.error_responses import error_response
from loci_runtime.logs import place_of
from loci_runtime.requests import request_id, trace_id

_PROBES: Final = frozenset(route.path for route in PROBES)
"""Paths of health and metrics endpoints, which need no key and are not logged."""
_INTERNAL: Final = "Internal error. Report the request id so that its cause can be found."

Guard = Callable[[Headers, str], Response | None]
"""Returns a response to reject a request, from its headers and request id, or None to accept it."""


@dataclass(frozen=True)
class Rules:
    """Configuration of an application's edge.

    Args:
        guard: authorization; not called for probes.
        max_body_bytes: a longer body gets 413, measured after decompression.
        routes: the application's routes; those of the probes are added.
        context: fields added to every log line of a request.
        describe: fields added to the request's access log line, from its final scope.
        observe: called with each request's operation, status and duration in seconds.
    """

    guard: Guard
    max_body_bytes: int
    routes: Routes
    context: Mapping[str, str] = field(default_factory=dict)
    describe: Callable[[Scope], dict[str, Any]] = lambda _: {}
    observe: Callable[[str, int, float], None] = lambda *_: None


class Edge:
    """The outermost layer of an application."""

    def __init__(self, app: ASGIApp, rules: Rules) -> None:
        self._app = app
        self._rules = rules
        self._routes = rules.routes + PROBES
        self._log = structlog.get_logger()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        receive, send = drained(scope, receive, send)
        started, status, sent = time.perf_counter(), 0, Headers(scope=scope)
        own_id, resource = _request_id(sent), self._routes.at(scope["path"])
        operation = resource.operation(scope["method"]) if resource else UNKNOWN_OPERATION
        scope = {**scope, "request_id": own_id}  # the server's own scope keeps HEAD

        async def respond(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)[headers.REQUEST_ID] = own_id
            await send(message)

        trace = trace_id(sent.get("traceparent"))
        with bound_contextvars(**self._rules.context, request_id=own_id, trace_id=trace):
            try:
                await self._serve(scope, receive, respond, sent, resource)
            except Exception as error:  # noqa: BLE001 - the edge: a caller gets the one shape, the log no content
                self._log.error("request failed", error=type(error).__name__, where=place_of(error))
                if not status:
                    await error_response(500, ErrorCode.INTERNAL, _INTERNAL, own_id)(scope, receive, respond)
            finally:
                self._record(scope, resource, operation, status or 500, time.perf_counter() - started)

    async def _serve(
        self, scope: Scope, receive: Receive, send: Send, sent: Headers, resource: Resource | None
    ) -> None:
        refused = self._refusal(scope, sent, resource)
        if scope["method"] == "HEAD":
            scope["method"], send = "GET", _without_body(send)
        if refused is not None:
            await refused(scope, receive, send)
            return
        _assume_json(scope)
        await self._app(scope, bounded(scope, receive, self._rules.max_body_bytes), send)

    def _refusal(self, scope: Scope, sent: Headers, resource: Resource | None) -> Response | None:
        own_id = scope["request_id"]
        if resource is not None and resource.route(scope["method"]) is None:
            return _other_method(scope["method"], resource, own_id)
        if scope["path"] not in _PROBES:
            refused = self._rules.guard(sent, own_id)
            if refused is not None:
                return refused
        if resource is None:
            return error_response(404, ErrorCode.NOT_FOUND, self._routes.not_found_message(scope["path"]), own_id)
        return None if content_encoding(sent) in ENCODINGS else _other_encoding(own_id)

    def _record(self, scope: Scope, resource: Resource | None, operation: str, status: int, seconds: float) -> None:
        if scope["path"] in _PROBES:
            return
        self._rules.observe(operation, status, seconds)
        self._log.info(
            "request",
            method=operation,
            path=resource.path if resource else None,
            status=status,
            latency_ms=round(seconds * 1000, 2),
            **self._rules.describe(scope),
        )


def _request_id(sent: Headers) -> str:
    return request_id(sent.get(headers.REQUEST_ID), sent.get("authorization"), sent.get(headers.API_KEY))


def _other_method(method: str, resource: Resource, own_id: str) -> Response:
    if method == "OPTIONS":
        response = Response(status_code=204)
    else:
        response = error_response(405, ErrorCode.METHOD_NOT_ALLOWED, not_allowed_message(resource), own_id)
    response.headers["Allow"] = resource.allow
    return response


def _other_encoding(own_id: str) -> Response:
    message = f"This Content-Encoding is not supported; use one of {ACCEPTED}."
    response = error_response(415, ErrorCode.UNSUPPORTED_MEDIA_TYPE, message, own_id)
    response.headers["Accept-Encoding"] = ACCEPTED  # RFC 7694
    return response


def _without_body(send: Send) -> Send:
    async def send_headers(message: Message) -> None:
        await send({**message, "body": b""} if message["type"] == "http.response.body" else message)

    return send_headers


def _assume_json(scope: Scope) -> None:
    """Treat every body as JSON regardless of its content type: `curl -d` declares a form by default."""
    others = [(name, value) for name, value in scope["headers"] if name != b"content-type"]
    scope["headers"] = [*others, (b"content-type", b"application/json")]
