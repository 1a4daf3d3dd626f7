"""Methods, paths and credentials through Envoy, the policy and a pod, by the table that `loci serve` has."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from loci_dev.rigs import pod as pods
from loci_dev.rigs.http_cases import CASES, PAGE, Case, check, check_cors, check_head
from loci_dev.rigs.ingress import Ingress, Tenant, ingress, known
from loci_dev.rigs.processes import wait_until
from loci_dev.rigs.tenants import LIMITS


@pytest.fixture(scope="module")
def tenant(the_ingress: Ingress, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tenant]:
    folder: Path = tmp_path_factory.mktemp("pod")
    limits = LIMITS.model_copy(update={"requests_per_minute": 60_000, "burst": 10_000})
    with pods.embedder(folder) as embedder_url:
        pod = pods.Pod(folder, embedder_url, "methods")
        with (
            pod.running(),
            known(the_ingress, "methods", f"127.0.0.1:{pod.port}", limits=limits, ingress_token=pods.TOKEN) as made,
        ):
            yield made


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_request_gets_what_it_gets_at_every_door(client: httpx.Client, tenant: Tenant, case: Case) -> None:
    check(client, tenant.key, case)


@pytest.mark.parametrize("path", ["/v1/memories", "/v1/usage", "/health", "/v1/memories/mem_none"])
def test_head_has_the_headers_of_get(client: httpx.Client, tenant: Tenant, path: str) -> None:
    check_head(client, tenant.key, path)


def test_envoys_log_names_the_operation(client: httpx.Client, the_ingress: Ingress, tenant: Tenant) -> None:
    for request_id, method, path in (
        ("operation-list", "GET", "/v1/memories"),
        ("operation-none", "PATCH", "/v1/memories"),
    ):
        client.request(method, path, headers={**tenant.bearer, "x-request-id": request_id})
    wait_until(lambda: "operation-none" in the_ingress.envoy.log.read_text(), "Envoy wrote its log")
    lines = [json.loads(line) for line in the_ingress.envoy.log.read_text().splitlines() if "operation-" in line]
    assert {line["request_id"]: line["method"] for line in lines} == {
        "operation-list": "list",
        "operation-none": "unknown",
    }


def test_configured_pages_may_call_and_no_others(tmp_path: Path, pod: str) -> None:
    with (
        ingress(tmp_path, {"LOCI_CORS_ORIGINS": f"https://b.example, {PAGE}"}) as door,
        httpx.Client(base_url=door.url) as client,
    ):
        wait_until(lambda: client.get("/readyz").is_success, "the ingress is ready")
        with known(door, "paged", pod) as tenant:
            check_cors(client, tenant.key)
