"""One request's trace through Envoy, policy, pod, PostgreSQL, Chroma and Neo4j, read back from Jaeger."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from loci_dev.rigs.jaeger import Jaeger, jaeger
from loci_dev.rigs.platform import platform
from loci_dev.rigs.pod import Pod
from loci_dev.rigs.processes import wait_until
from loci_dev.rigs.store_servers import store_servers
from loci_dev.tools.catalog import MissingToolError

MEMORY = "Ada moved to Lisbon with Grace."
SECRET = "a-secret-word-that-no-span-may-have"


@dataclass
class Traced:
    """A traced platform with one tenant."""

    jaeger: Jaeger
    client: httpx.Client
    pod: Pod
    key: str

    def spans(self, trace: str) -> list[dict[str, Any]]:
        """The spans of a trace that Jaeger has."""
        answer = httpx.get(f"http://127.0.0.1:{self.jaeger.query}/api/traces/{trace}", timeout=30)
        return [span for found in answer.json()["data"] or [] for span in found["spans"]] if answer.is_success else []

    def tree(self, trace: str, *complete: str) -> dict[str, str]:
        """Each span's name and its parent's, once the named ones have come; the empty name is no parent."""
        wait_until(lambda: {*complete} <= {s["operationName"] for s in self.spans(trace)}, f"{complete} have come")
        spans = self.spans(trace)
        names = {span["spanID"]: span["operationName"] for span in spans}
        parents = {s["operationName"]: [r["spanID"] for r in s["references"] if is_parent(r)] for s in spans}
        return {name: names.get(parent[0], "") if parent else "" for name, parent in parents.items()}


def is_parent(reference: dict[str, str]) -> bool:
    return reference["refType"] == "CHILD_OF"


@pytest.fixture(scope="module")
def traced(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Traced]:
    folder = tmp_path_factory.mktemp("traces")
    try:
        with jaeger(folder) as server, store_servers(folder, graph=True) as stores:
            everywhere = {"LOCI_OTLP_ENDPOINT": server.otlp_url}
            with (
                platform(folder, everywhere, tracing={"endpoint": server.otlp_url}) as loci,
                loci.tenant("acme", stores.admit("acme")) as (tenant, pod),
                loci.client(tenant) as client,
            ):
                yield Traced(server, client, pod, tenant.key)
    except MissingToolError as error:
        pytest.skip(str(error))


def sent(client: httpx.Client, method: str, path: str, body: Any = None, **headers: str) -> str:
    """The trace of a request that this sent."""
    trace = secrets.token_hex(16)
    headers["traceparent"] = f"00-{trace}-{secrets.token_hex(8)}-01"
    client.request(method, path, json=body, headers=headers).raise_for_status()
    return trace


def has_trace(log: Path, trace: str) -> bool:
    return f'"trace_id":"{trace}"' in log.read_text()


def searched(client: httpx.Client, mode: str, **headers: str) -> str:
    """The trace of a search that was answered; a store's first one may be late, which is a 503."""
    traces: list[str] = []

    def is_answered() -> bool:
        traces.append(secrets.token_hex(16))
        parent = f"00-{traces[-1]}-{secrets.token_hex(8)}-01"
        body = {"query": f"Where is Ada, {secrets.token_hex(4)}?", "mode": mode}
        answer = client.post("/v1/memories/search", json=body, headers={**headers, "traceparent": parent})
        return answer.is_success and not answer.json()["degraded"]

    wait_until(is_answered, f"a search by {mode} is answered")
    return traces[-1]


def test_jaeger_has_the_missions_tree_of_a_search_on_servers(traced: Traced) -> None:
    sent(traced.client, "POST", "/v1/memories", {"content": MEMORY})
    hybrid = traced.tree(searched(traced.client, "hybrid"), "api_gateway", "memory_service", "rate_limiter", "response")
    assert (
        hybrid.items()
        >= {
            "api_gateway": "",
            "async policy egress": "api_gateway",  # Envoy's own, for its question to the policy
            "rate_limiter": "async policy egress",
            "memory_service": "api_gateway",
            "cache_lookup": "memory_service",
            "vector_search": "memory_service",
            "keyword_search": "memory_service",
            "embed": "vector_search",
            "response": "api_gateway",
        }.items()
    )
    graph = traced.tree(searched(traced.client, "graph"), "api_gateway", "memory_service")
    assert graph["graph_traverse"] == "memory_service"


def test_the_indexers_work_is_linked_to_the_write_that_caused_it(traced: Traced) -> None:
    trace = sent(traced.client, "POST", "/v1/memories", {"content": "Sam rides an e-bike."})

    def is_linked() -> bool:
        found = traced.jaeger.traces("loci-dataplane", operation="index")
        return any(r["traceID"] == trace for t in found for s in t["spans"] for r in s["references"])

    wait_until(is_linked, "an index span links to the write")


def test_log_lines_of_envoy_and_pod_have_the_trace(traced: Traced) -> None:
    trace = searched(traced.client, "hybrid")
    for log in (traced.pod.log, traced.pod.folder / "envoy.log"):
        wait_until(partial(has_trace, log, trace), f"{log.name} has it")


def test_a_trace_begins_at_envoy_where_the_caller_sent_none(traced: Traced) -> None:
    traced.client.get("/v1/memories", headers={"x-request-id": "not-a-uuid"}).raise_for_status()

    def is_there() -> bool:
        found = traced.jaeger.traces("loci-ingress", operation="api_gateway")
        tags = [tag for t in found for s in t["spans"] for tag in s["tags"]]
        return "not-a-uuid" in [tag["value"] for tag in tags if tag["key"] == "guid:x-request-id"]

    wait_until(is_there, "the trace has come")


def test_no_span_of_any_process_has_what_a_client_wrote(traced: Traced) -> None:
    agent = {"user-agent": SECRET, "tracestate": f"vendor={SECRET}", "host": SECRET, "referer": SECRET}
    traced.client.post("/v1/memories", json={"content": SECRET, "user_id": SECRET}, headers=agent)
    traced.client.get(f"/v1/memories/{SECRET}", params={"user_id": SECRET}, headers=agent)
    traced.client.request("GET", f"/{SECRET}", headers=agent)
    traced.client.request("SEARCH", f"/v1/{SECRET}", headers={**agent, "authorization": f"Bearer {SECRET}"})
    trace = searched(traced.client, "hybrid", **agent)
    traced.tree(trace, "api_gateway", "memory_service", "rate_limiter")
    services = ("loci-ingress", "loci-policy", "loci-dataplane", "loci-embedder")
    told = str([traced.jaeger.traces(service, limit="1000") for service in services])
    assert trace in told
    assert SECRET not in told
    assert traced.key not in told
