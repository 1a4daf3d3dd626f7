"""Spans by the OpenTelemetry SDK, exported over OTLP/HTTP in batches; imported only where tracing is on.

The SDK's batch processor holds at most 2,048 spans and drops what is more; its thread alone speaks with the collector.
A trace is kept or not as its caller's `traceparent` says; one that begins here is kept. To keep errors and slow
requests alone, sample in the collector (tail sampling), which sees a trace's end.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import DEFAULT_ON
from opentelemetry.trace import Link, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from loci_runtime.tracing import Attribute, Span

_TIMEOUT: Final = 3
"""Seconds that one export may take, and so about what a process waits at its end."""
_PERIOD_MS: Final = 1_000
_PROPAGATOR: Final = TraceContextTextMapPropagator()
_PARENT: Final = "traceparent"


def start(service: str, endpoint: str) -> OtlpTracer:
    """A tracer that exports to an OTLP endpoint, such as http://collector:4318."""
    exporter = OTLPSpanExporter(f"{endpoint.rstrip('/')}/v1/traces", timeout=_TIMEOUT)
    provider = TracerProvider(
        sampler=DEFAULT_ON, resource=Resource.create({SERVICE_NAME: service}), shutdown_on_exit=False
    )
    provider.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=_PERIOD_MS))
    return OtlpTracer(provider)


class OtlpTracer:
    """Makes spans of the SDK."""

    enabled: Final = True

    def __init__(self, provider: TracerProvider) -> None:
        self._provider = provider
        self._tracer = provider.get_tracer("loci")

    @contextlib.contextmanager
    def span(self, name: str, parent: str | None, links: Sequence[str] = ()) -> Iterator[Span]:
        """Open a span for the duration of a block; of an exception it records only the type."""
        causes = [Link(trace.get_current_span(_context(link)).get_span_context()) for link in links]
        with self._tracer.start_as_current_span(
            name, _context(parent), links=causes, record_exception=False, set_status_on_exception=False
        ) as own:
            try:
                yield _Span(own)
            except BaseException as error:
                own.set_attribute("error.type", type(error).__name__)
                own.set_status(StatusCode.ERROR)
                raise

    def begin(self, name: str, parent: str | None) -> Callable[[], None]:
        """A span within the given `traceparent`, until the returned function is called."""
        return self._tracer.start_span(name, _context(parent)).end

    def traceparent(self) -> str | None:
        """The present span as a `traceparent` header's value."""
        carrier: dict[str, str] = {}
        _PROPAGATOR.inject(carrier)
        return carrier.get(_PARENT)

    def close(self) -> None:
        """Send what is left, for a few seconds at most."""
        self._provider.shutdown()


def _context(parent: str | None) -> Context | None:
    return _PROPAGATOR.extract({_PARENT: parent}) if parent else None


class _Span:
    def __init__(self, span: trace.Span) -> None:
        self._span = span

    def set(self, **attributes: Attribute) -> None:
        """Add attributes."""
        for name, value in attributes.items():
            self._span.set_attribute(name.replace("__", "."), value)

    def fail(self) -> None:
        """Mark the span as failed."""
        self._span.set_status(StatusCode.ERROR)
