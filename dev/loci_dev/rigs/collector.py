"""An OTLP/HTTP receiver within the test's process: keeps the spans that it gets, or hangs."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from loci_dev.rigs.processes import free_port


@dataclass
class Collector:
    """The receiver: `exports` are what came, each with its service's name."""

    port: int
    answering: threading.Event = field(default_factory=threading.Event)
    asked: threading.Event = field(default_factory=threading.Event)
    exports: list[ExportTraceServiceRequest] = field(default_factory=list)

    @property
    def url(self) -> str:
        """The endpoint to export to."""
        return f"http://127.0.0.1:{self.port}"

    def all_spans(self) -> list[Span]:
        """Every span that has come so far."""
        scopes = [s for export in list(self.exports) for r in export.resource_spans for s in r.scope_spans]
        return [span for scope in scopes for span in scope.spans]

    def names(self) -> set[str]:
        """The names of these spans."""
        return {span.name for span in self.all_spans()}

    def spans(self, trace_id: str) -> list[Span]:
        """The spans of a trace that have come so far."""
        return [span for span in self.all_spans() if span.trace_id.hex() == trace_id]

    def tree(self, trace_id: str) -> dict[str, str]:
        """Each span's name, and that of its parent; empty for one whose parent is not here."""
        spans = self.spans(trace_id)
        names = {span.span_id: span.name for span in spans}
        return {span.name: names.get(span.parent_span_id, "") for span in spans}


def _body(request: BaseHTTPRequestHandler) -> bytes:
    """The body of a request, which Envoy sends in chunks."""
    if request.headers.get("transfer-encoding") != "chunked":
        return request.rfile.read(int(request.headers["content-length"]))
    body = b""
    while size := int(request.rfile.readline(), 16):
        body += request.rfile.read(size)
        request.rfile.readline()
    request.rfile.readline()
    return body


@contextlib.contextmanager
def collector(*, hanging: bool = False, delay: float = 0, port: int | None = None) -> Iterator[Collector]:
    """A receiver on the loopback address that answers after a delay, in seconds; a hanging one at the block's end."""
    found = Collector(port or free_port())
    if not hanging:
        found.answering.set()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = _body(self)
            if self.headers.get("content-encoding") == "gzip":
                raise NotImplementedError("gzip")
            found.asked.set()
            found.answering.wait()
            time.sleep(delay)
            found.exports.append(ExportTraceServiceRequest.FromString(body))
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Print nothing."""

    with ThreadingHTTPServer(("127.0.0.1", found.port), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield found
        finally:
            found.answering.set()
            server.shutdown()
            thread.join()
