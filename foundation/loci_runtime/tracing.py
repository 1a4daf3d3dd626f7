"""Spans of a request, off unless a process is given an OTLP endpoint; without one, the SDK is not imported.

Every process names its spans here, and `otlp.py` exports them from a thread of its own: a collector that is away or
slow costs spans, never a request. The parent comes from W3C Trace Context's `traceparent`. `Traced` puts its own span
into that header, so that log lines, the next process and everything within the request belong to one trace.
`tracestate` is not taken over, since a caller can write anything into it. Attributes are numbers, flags and fixed
names: never a path, a query, a key or the content of a memory.
"""

from __future__ import annotations

import contextlib
import pkgutil
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, MutableMapping, Sequence
from contextlib import AbstractContextManager
from http import HTTPStatus
from typing import Any, Final, Literal, Protocol, Self

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
# As in Starlette, which the policy does without.

Attribute = str | bool | int | float

_TRACEPARENT: Final = "traceparent"
_REPLACED: Final = (_TRACEPARENT.encode(), b"tracestate")
_INSIDE: Final = "loci.traced"
"""Key of a scope that is within a span already."""
_CAUSES: Final = 128
"""Links of one span, as the SDK limits them."""
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Span(Protocol):
    """A span that has begun."""

    def set(self, **attributes: Attribute) -> None:
        """Add attributes; a name's double underscores stand for dots, as in `http__route`."""

    def fail(self) -> None:
        """Mark the span as failed, so that a collector's tail sampling keeps its trace."""


class Tracer(Protocol):
    """Creates spans."""

    @property
    def enabled(self) -> bool:
        """Whether spans go anywhere."""

    def span(self, name: str, parent: str | None, links: Sequence[str] = ()) -> AbstractContextManager[Span]:
        """A span for the length of a block: within the given `traceparent`, or within the present span."""

    def begin(self, name: str, parent: str | None) -> Callable[[], None]:
        """A span within the given `traceparent`, until the returned function is called."""

    def traceparent(self) -> str | None:
        """The present span as a `traceparent` header's value."""

    def close(self) -> None:
        """Send what is left, for a few seconds at most."""


class _NoSpan:
    def set(self, **attributes: Attribute) -> None:
        pass

    def fail(self) -> None:
        pass

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass


class _NoTracer:
    enabled: Final = False
    _none: Final = _NoSpan()

    def span(self, name: str, parent: str | None, links: Sequence[str] = ()) -> _NoSpan:  # noqa: ARG002 - as the Protocol
        return self._none

    def begin(self, name: str, parent: str | None) -> Callable[[], None]:  # noqa: ARG002 - the Protocol's arguments
        return _nothing

    def traceparent(self) -> None:
        return None

    def close(self) -> None:
        pass


def _nothing() -> None:
    pass


class _Active:
    tracer: Tracer = _NoTracer()


_ACTIVE: Final = _Active()
"""The process's tracer, set by `exporting` alone."""


def span(name: str, parent: str | None = None, links: Sequence[str] = ()) -> AbstractContextManager[Span]:
    """A span for the length of a block: within the given `traceparent`, or within the present span.

    Args:
        name: a fixed name.
        parent: the `traceparent` of the span around it.
        links: the `traceparent` of each span that caused this one without waiting for it.
    """
    return _ACTIVE.tracer.span(name, parent, links)


def outgoing() -> dict[str, str]:
    """Headers that carry the present span to another process; none while tracing is off."""
    value = _ACTIVE.tracer.traceparent()
    return {_TRACEPARENT: value} if value else {}


class Causes:
    """The spans that left work for later, so that the span of that work can link to them; the latest 128 are kept."""

    def __init__(self) -> None:
        self._noted: deque[str] = deque(maxlen=_CAUSES)

    def note(self) -> None:
        """Remember the present span, if there is one."""
        if (value := _ACTIVE.tracer.traceparent()) is not None:
            self._noted.append(value)

    def take(self) -> tuple[str, ...]:
        """Return the spans noted since the last call."""
        taken = tuple(self._noted)
        self._noted.clear()
        return taken


def parent_of(scope: Scope) -> str | None:
    """The `traceparent` that came with a request."""
    return next((value.decode("latin-1") for name, value in scope["headers"] if name == _REPLACED[0]), None)


@contextlib.contextmanager
def exporting(service: str, endpoint: str | None) -> Iterator[None]:
    """Export the process's spans within the block, to `endpoint` (such as http://collector:4318); None leaves it off.

    Raises:
        SystemExit: an endpoint is given, and the extra `tracing` is not installed.
    """
    if endpoint is None:
        yield
        return
    try:
        start: Callable[[str, str], Tracer] = pkgutil.resolve_name("loci_runtime.otlp:start")
    except ModuleNotFoundError as missing:
        message = f"LOCI_OTLP_ENDPOINT is set, and {missing.name} is missing: pip install 'loci-memory[tracing]'"
        raise SystemExit(message) from None
    _ACTIVE.tracer = tracer = start(service, endpoint)
    try:
        yield
    finally:
        _ACTIVE.tracer = _NoTracer()
        tracer.close()


class Traced:
    """ASGI: one span around each request; the outermost adds `response`, from first to last byte of the answer.

    Args:
        app: the application.
        name: the span's name.
        response: where the span `response` belongs: in this application's span, in its caller's if it has one
            (the application is behind Envoy), or nowhere.
    """

    def __init__(self, app: App, name: str, response: Literal["own", "caller", "none"] = "own") -> None:
        self._app = app
        self._name = name
        self._response = response

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if not _ACTIVE.tracer.enabled or scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        caller = parent_of(scope)
        with span(self._name, caller) as own:
            own.set(http__request__method=scope["method"] if scope["method"] in _METHODS else "_OTHER")
            carried = outgoing()
            around = caller if self._response == "caller" and caller else carried[_TRACEPARENT]
            is_told = self._response != "none" and _INSIDE not in scope
            responding = _Responding(send, own, around if is_told else None)
            kept = [(name, value) for name, value in scope["headers"] if name not in _REPLACED]
            added = [(name.encode(), value.encode()) for name, value in carried.items()]
            try:
                await self._app({**scope, "headers": [*kept, *added], _INSIDE: True}, receive, responding)
            finally:
                responding.end()


class _Responding:
    """Sends the response, and keeps its span where it has a parent."""

    def __init__(self, send: Send, request: Span, parent: str | None) -> None:
        self._send = send
        self._request = request
        self._parent = parent
        self.end: Callable[[], None] = _nothing

    async def __call__(self, message: Message) -> None:
        """Pass one message on."""
        if message["type"] == "http.response.start":
            self._request.set(http__response__status_code=message["status"])
            if message["status"] >= HTTPStatus.INTERNAL_SERVER_ERROR:
                self._request.fail()
            if self._parent is not None:
                self.end = _ACTIVE.tracer.begin("response", self._parent)
        await self._send(message)
        if message["type"] == "http.response.body" and not message.get("more_body"):
            self.end()
            self.end = _nothing
