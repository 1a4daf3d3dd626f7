"""No key and no content in any log, metric, span, event, status, annotation, error or crash, whatever the path."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import yaml

from loci_dev.cluster.controlplane import control_plane
from loci_dev.cluster.kubectl import kubectl
from loci_dev.cluster.tenants import Tenants
from loci_dev.cluster.unprivileged import admin_api, install, operator
from loci_dev.rigs.canaries import Canaries, admin_requests, tenant_requests
from loci_dev.rigs.collector import Collector, collector
from loci_dev.rigs.ingress import ADMIN_KEY as METRICS_KEY
from loci_dev.rigs.platform import Platform, platform
from loci_dev.rigs.pod import TOKEN
from loci_dev.rigs.processes import wait_until
from loci_dev.rigs.standalone import ADMIN_KEY, declare, serve
from loci_dev.rigs.store_servers import StoreServers, store_servers
from loci_dev.tools.catalog import MissingToolError

LOUD = {"LOCI_LOG_LEVEL": "debug"}
LOGS = ("*.log", "*.err", "*.out")


@pytest.fixture
def receiver() -> Iterator[Collector]:
    with collector() as running:
        yield running


def leaks(canaries: Canaries, receiver: Collector, folder: Path, **texts: str) -> list[str]:
    """Where a canary was found: in a log file below the folder, in a span, in a refusal, or in one of the texts."""
    files = {path for pattern in LOGS for path in folder.rglob(pattern) if path.is_file() and "data" not in path.parts}
    assert files
    told = {str(path.relative_to(folder)): path.read_text(errors="replace") for path in files}
    told["spans"] = "\n".join(map(str, receiver.all_spans()))
    told["refusals"] = "\n".join(canaries.refusals)
    assert told["spans"]
    assert told["refusals"]
    return sorted({leak for name, text in {**told, **texts}.items() for leak in canaries.found_in(name, text)})


def metrics_of(loci: Platform, *pods: str) -> str:
    """Everything that the processes' metrics and Envoy's admin interface tell."""
    key = {"authorization": f"Bearer {METRICS_KEY}"}
    own = f"http://127.0.0.1:{loci.ingress.envoy.admin_port}"
    texts = [httpx.get(f"{loci.url}/metrics", headers=key), httpx.get(f"{own}/stats"), httpx.get(f"{own}/clusters")]
    texts += [httpx.get(f"{url}/metrics") for url in (loci.embedder_url, *pods)]
    return "\n".join(answer.raise_for_status().text for answer in texts)


def requests_while_a_store_is_away(client: httpx.Client, canaries: Canaries) -> None:
    for _ in range(2):
        canaries.keep(client.post("/v1/memories", json={"content": canaries.word("content while a store is away")}))
        for mode in ("hybrid", "vector", "keyword"):
            query = {"query": canaries.word("query while a store is away"), "mode": mode}
            canaries.keep(client.post("/v1/memories/search", json=query))


def fail(loci: Platform, stores: StoreServers, client: httpx.Client, canaries: Canaries, pid: int) -> None:
    """Lose one process after the other under requests; the pod and the policy crash at the end."""
    for process in (stores.chroma.server.process, stores.postgres.process, loci.redis.process):
        process.kill()
        process.wait()
        requests_while_a_store_is_away(client, canaries)
    os.kill(pid, signal.SIGABRT)
    requests_while_a_store_is_away(client, canaries)
    loci.ingress.policy.process.send_signal(signal.SIGSEGV)
    requests_while_a_store_is_away(client, canaries)


@pytest.mark.invariant(5)
def test_nothing_that_a_client_sends_is_told_by_envoy_policy_pod_or_servers(
    tmp_path: Path, receiver: Collector
) -> None:
    canaries = Canaries()
    everywhere = {**LOUD, "LOCI_OTLP_ENDPOINT": receiver.url}
    try:
        with (
            store_servers(tmp_path) as stores,
            platform(tmp_path, everywhere, tracing={"endpoint": receiver.url}) as loci,
            loci.tenant("acme", stores.admit("acme")) as (tenant, pod),
            loci.client(tenant) as client,
        ):
            canaries.sent |= {tenant.key: "the key", TOKEN: "the ingress token", METRICS_KEY: "the admin key"}
            canaries.sent |= dict.fromkeys(stores.secrets, "a store's password")
            tenant_requests(client, canaries, tenant.key)
            told = metrics_of(loci, pod.url)
            wait_until(lambda: "memory_service" in receiver.names(), "spans have come")
            fail(loci, stores, client, canaries, pod.pid)
            log = stores.postgres.cluster.folder / "postgres.log"
            found = leaks(canaries, receiver, tmp_path, metrics=told, postgres=log.read_text(errors="replace"))
    except MissingToolError as error:
        pytest.skip(str(error))
    assert "\n".join(found) == ""


@pytest.mark.invariant(5)
def test_nothing_is_told_by_the_one_process(tmp_path: Path, receiver: Collector) -> None:
    canaries = Canaries()
    (tmp_path / "tenants").mkdir()
    declare(tmp_path / "tenants", "acme", tier="enterprise", limits={"requestsPerMinute": 1_000_000, "burst": 100_000})
    for name, text in broken_documents(canaries).items():
        (tmp_path / "tenants" / f"{name}.yaml").write_text(text)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {**LOUD, "LOCI_OTLP_ENDPOINT": receiver.url}.items():
            patch.setenv(name, value)
        with serve(tmp_path, tmp_path / "tenants") as running:
            key = running.key("acme")
            canaries.sent[key] = "the key"
            with running.client(key) as client:
                tenant_requests(client, canaries, key)
            with running.client(ADMIN_KEY) as client:
                admin_requests(client, canaries, ADMIN_KEY)
                told = client.get("/metrics").text
            wait_until(lambda: "memory_service" in receiver.names(), "spans have come")
            running.process.send_signal(signal.SIGABRT)
            running.process.wait()
    assert "\n".join(leaks(canaries, receiver, tmp_path, metrics=told)) == ""


@pytest.mark.invariant(5)
def test_nothing_that_is_declared_wrongly_is_told_by_operator_or_admin_api(tmp_path: Path, receiver: Collector) -> None:
    canaries = Canaries()
    (tmp_path / "plane").mkdir()
    try:
        with control_plane(tmp_path / "plane") as plane:
            install(plane)
            settings = {**LOUD, "LOCI_OTLP_ENDPOINT": receiver.url}
            with operator(plane, tmp_path, **settings) as url, admin_api(plane, tmp_path, ADMIN_KEY, **settings) as api:
                tenants = Tenants(plane)
                for text in broken_documents(canaries).values():
                    kubectl(plane.kubeconfig, "apply", "--validate=false", "-f", "-", stdin=text)
                tenants.apply("acme", displayName=canaries.word("display name"))
                tenants.settled("acme")
                with httpx.Client(base_url=api, headers={"authorization": f"Bearer {ADMIN_KEY}"}) as client:
                    admin_requests(client, canaries, ADMIN_KEY)
                    made = client.post("/admin/tenants", json={"name": "made", "tier": "pro"})
                    canaries.sent[made.json()["api_key"]] = "the key of a tenant made by the admin API"
                    metrics = "".join(httpx.get(f"{address}/metrics").text for address in (url, api))
                tenants.settled("made")
                told = json.dumps([tenants.get("events", "-A"), *map(tenants.status, ("acme", "made"))])
                told += json.dumps([c["metadata"] for name in ("acme", "made") for c in tenants.children(name)])
                wait_until(lambda: "reconcile" in receiver.names(), "spans have come")
        log = (tmp_path / "operator.log").read_text() + (tmp_path / "admin.log").read_text()
    except MissingToolError as error:
        pytest.skip(str(error))
    spans = "\n".join(map(str, receiver.all_spans()))
    texts = {"objects": told, "metrics": metrics, "logs": log, "spans": spans, "refusals": "\n".join(canaries.refusals)}
    assert "\n".join(leak for name, text in texts.items() for leak in canaries.found_in(name, text)) == ""


def broken_documents(canaries: Canaries) -> dict[str, str]:
    """MemoryTenant documents with secrets where they do not belong."""
    word = canaries.word

    def document(name: str, **spec: object) -> str:
        metadata = {"name": name, "annotations": {"note": word(f"annotation of {name}")}}
        kind = {"apiVersion": "loci.dev/v1alpha1", "kind": "MemoryTenant"}
        return yaml.safe_dump({**kind, "metadata": metadata, "spec": {"tier": "pro", **spec}})

    return {
        "raw-key": document(
            "raw-key", apiKeys=[{"name": "default", "sha256": f"sk-raw-key-{word('key as its hash')}"}]
        ),
        "no-tier": document("no-tier", tier="nothing"),
        "extra": document("extra", unknownField=word("value of an unknown field")),
        "scope": document("scope", apiKeys=[{"name": "default", "scopes": [word("scope")]}]),
        "not-yaml": f"spec: [{word('broken YAML')}",
    }
