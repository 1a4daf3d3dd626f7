"""Spans of real requests, read back from an OTLP receiver."""

import contextlib
import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Status

from loci_dev.rigs.collector import Collector, collector
from loci_dev.rigs.pod import Pod, embedder
from loci_dev.rigs.processes import stop, wait_until
from loci_dev.rigs.standalone import Served, declare, serve
from loci_runtime.tracing import Send, Traced, exporting

SECRET = "a-secret-word-that-no-span-may-have"


@contextlib.contextmanager
def tracing_to(receiver: Collector) -> Iterator[None]:
    """Processes that start within the block export to this receiver."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LOCI_OTLP_ENDPOINT", receiver.url)
        yield


@pytest.fixture(scope="module")
def receiver() -> Iterator[Collector]:
    with collector() as running:
        yield running


@pytest.fixture(scope="module")
def traced(receiver: Collector, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("traced")
    (folder / "tenants").mkdir()
    declare(folder / "tenants", "acme", tier="enterprise")
    with tracing_to(receiver), serve(folder, folder / "tenants") as running:
        yield running


def asked(client: httpx.Client, query: str, **headers: str) -> str:
    """The trace of a search that this sent."""
    trace = secrets.token_hex(16)
    headers["traceparent"] = f"00-{trace}-{secrets.token_hex(8)}-01"
    client.post("/v1/memories/search", json={"query": query}, headers=headers).raise_for_status()
    return trace


def test_a_search_leaves_the_missions_tree(traced: Served, receiver: Collector) -> None:
    with traced.client(traced.key("acme")) as client:
        trace = asked(client, f"first {secrets.token_hex(4)}")
    wait_until(lambda: "api_gateway" in receiver.tree(trace), "the spans have come")
    assert receiver.tree(trace) == {
        "api_gateway": "",
        "rate_limiter": "api_gateway",
        "memory_service": "api_gateway",
        "cache_lookup": "memory_service",
        "vector_search": "memory_service",
        "keyword_search": "memory_service",
        "response": "api_gateway",
    }


def test_a_cached_answer_says_so_and_searches_nothing(traced: Served, receiver: Collector) -> None:
    with traced.client(traced.key("acme")) as client:
        first, second = asked(client, "the same"), asked(client, "the same")
    wait_until(lambda: "api_gateway" in receiver.tree(second), "the spans have come")
    hits = {
        trace: [a.value.bool_value for s in receiver.spans(trace) for a in s.attributes if a.key == "cache.hit"]
        for trace in (first, second)
    }
    assert hits == {first: [False], second: [True]}
    assert "vector_search" not in receiver.tree(second)


def test_a_refused_request_never_reaches_the_memory_service(traced: Served, receiver: Collector) -> None:
    trace = secrets.token_hex(16)
    with traced.client("sk-acme-of-nobody") as client:
        client.get("/v1/memories", headers={"traceparent": f"00-{trace}-{secrets.token_hex(8)}-01"})
    wait_until(lambda: "api_gateway" in receiver.tree(trace), "the spans have come")
    assert set(receiver.tree(trace)) == {"api_gateway", "rate_limiter", "response"}
    (limiter,) = [span for span in receiver.spans(trace) if span.name == "rate_limiter"]
    assert [a.value.int_value for a in limiter.attributes if a.key == "http.response.status_code"] == [401]


async def test_an_answer_of_a_server_error_marks_its_span_as_failed(receiver: Collector) -> None:
    async def app(_: object, __: object, send: Send) -> None:
        await send({"type": "http.response.start", "status": 503, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def ignore(_: object) -> None:
        pass

    trace = secrets.token_hex(16)
    header = (b"traceparent", f"00-{trace}-{secrets.token_hex(8)}-01".encode())
    with exporting("loci", receiver.url):
        scope = {"type": "http", "method": "GET", "headers": [header]}
        await Traced(app, "api_gateway")(scope, ignore, ignore)  # type: ignore[arg-type]
    statuses = {span.name: span.status.code for span in receiver.spans(trace)}
    assert statuses == {"api_gateway": Status.STATUS_CODE_ERROR, "response": Status.STATUS_CODE_UNSET}


def test_the_log_line_has_the_same_trace(traced: Served) -> None:
    with traced.client(traced.key("acme")) as client:
        trace = asked(client, "logged")
    wait_until(lambda: f'"trace_id":"{trace}"' in traced.log.read_text(), "the line is written")


def test_no_span_has_a_key_a_query_or_content(traced: Served, receiver: Collector) -> None:
    key = traced.key("acme")
    with traced.client(key) as client:
        client.post("/v1/memories", json={"content": SECRET, "metadata": {"note": SECRET}, "user_id": SECRET})
        client.get(f"/v1/memories/{SECRET}", params={"user_id": SECRET})
        client.post("/v1/memories", content=f'{{"content": "{SECRET}')
        trace = asked(client, SECRET, tracestate=f"vendor={SECRET}")
    wait_until(lambda: "api_gateway" in receiver.tree(trace), "the spans have come")
    sent = b"".join(export.SerializeToString() for export in receiver.exports)
    assert SECRET.encode() not in sent
    assert key.encode() not in sent


def test_a_pod_joins_its_callers_trace(receiver: Collector, tmp_path: Path) -> None:
    with tracing_to(receiver), embedder(tmp_path) as address:
        pod = Pod(tmp_path, address)
        with pod.running(), pod.client() as client:
            trace = asked(client, "from a pod")
    wait_until(lambda: "memory_service" in receiver.tree(trace), "the spans have come")
    tree = receiver.tree(trace)
    assert (tree["memory_service"], tree["vector_search"]) == ("", "memory_service")


def test_a_hanging_collector_holds_up_no_request_and_no_end(tmp_path: Path) -> None:
    (tmp_path / "tenants").mkdir()
    declare(tmp_path / "tenants", "acme", tier="enterprise")
    with collector(hanging=True) as stuck, tracing_to(stuck), serve(tmp_path, tmp_path / "tenants") as running:
        with running.client(running.key("acme")) as client:
            asked(client, "first")
            wait_until(stuck.asked.is_set, "an export hangs")
            for number in range(50):
                asked(client, f"query {number}")
        stop(running.process, seconds=20)
        assert running.process.returncode == 0


def test_a_process_without_an_endpoint_does_not_import_the_exporter() -> None:
    ours = "n == 'loci_runtime.otlp' or n.startswith('opentelemetry.exporter')"  # redis' client imports the rest
    code = f"import sys, loci_policy.__main__; print(any({ours} for n in sys.modules))"
    environment = {name: value for name, value in os.environ.items() if name != "LOCI_OTLP_ENDPOINT"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert done.stdout == "False\n"
