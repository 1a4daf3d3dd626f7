"""An OTLP/HTTP receiver within the test's process: keeps the spans that it gets, or hangs."""

from __future__ import annotations

import contextlib
import threading
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

    def spans(self, trace_id: str) -> list[Span]:
        """The spans of a trace that have come so far."""
        return [
            span
            for export in list(self.exports)
            for resource in export.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
            if span.trace_id.hex() == trace_id
        ]

    def tree(self, trace_id: str) -> dict[str, str]:
        """Each span's name, and that of its parent; empty for one whose parent is not here."""
        spans = self.spans(trace_id)
        names = {span.span_id: span.name for span in spans}
        return {span.name: names.get(span.parent_span_id, "") for span in spans}


@contextlib.contextmanager
def collector(*, hanging: bool = False) -> Iterator[Collector]:
    """A receiver on the loopback address; a hanging one takes a request and answers only at the end of the block."""
    found = Collector(free_port())
    if not hanging:
        found.answering.set()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            if self.headers.get("content-encoding") == "gzip":
                raise NotImplementedError("gzip")
            found.asked.set()
            found.answering.wait()
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
