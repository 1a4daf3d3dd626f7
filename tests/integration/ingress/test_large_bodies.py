"""A refusal reaches clients that are still sending a large body: through Envoy, at a pod and at the embedder."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from loci_contract.headers import INGRESS_TOKEN
from loci_contract.registry import TenantState
from loci_dev.rigs import pod as pods
from loci_dev.rigs.ingress import Ingress, Tenant, known
from loci_dev.rigs.large_bodies import CLIENTS

LARGE, BEYOND_SOCKET_BUFFERS, ALLOWED = 2 * 2**20, 24 * 2**20, 7 * 65_536
each_client = pytest.mark.parametrize("client_name", CLIENTS)


@pytest.fixture(scope="module")
def tenant(the_ingress: Ingress, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Tenant, pods.Pod]]:
    folder = tmp_path_factory.mktemp("large")
    with pods.embedder(folder) as embedder_url:
        pod = pods.Pod(folder, embedder_url, "large")
        address = f"127.0.0.1:{pod.port}"
        with pod.running(), known(the_ingress, "large", address, ingress_token=pods.TOKEN) as made:
            yield made, pod


@each_client
def test_envoy_and_pod_refuse_what_is_too_large(
    the_ingress: Ingress, tenant: tuple[Tenant, pods.Pod], client_name: str
) -> None:
    url = httpx.URL(f"{the_ingress.url}/v1/memories")
    assert CLIENTS[client_name](url, tenant[0].bearer, BEYOND_SOCKET_BUFFERS) == 413


@each_client
def test_the_policy_refuses_before_the_body_came(the_ingress: Ingress, client_name: str, pod: str) -> None:
    with known(the_ingress, "stopped", pod, state=TenantState.SUSPENDED) as stopped:
        for path, headers, status in (
            ("/v1/memories", {}, 401),
            ("/v1/memories", stopped.bearer, 403),
            ("/v1/usage", {}, 405),
            ("/v9", {}, 404),
            ("/livez", {}, 405),
        ):
            assert CLIENTS[client_name](httpx.URL(the_ingress.url + path), headers, ALLOWED) == status


@each_client
def test_a_pod_and_the_embedder_refuse_too(tenant: tuple[Tenant, pods.Pod], client_name: str) -> None:
    pod, token = tenant[1], {INGRESS_TOKEN: pods.TOKEN}
    for url, headers, status in (
        (f"{pod.url}/v1/memories", token, 413),
        (f"{pod.url}/v1/memories", {}, 403),
        (f"{pod.url}/v1/usage", token, 405),
        (f"{pod.embedder_url}/v1/nothing", {}, 404),
    ):
        assert CLIENTS[client_name](httpx.URL(url), headers, LARGE) == status
