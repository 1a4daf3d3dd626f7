"""Envoy serves from leases: without a call to the policy, never beyond the limit, and only what the policy would."""

from __future__ import annotations

import itertools
import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from loci_contract.registry import Limits, Scope, TenantState
from loci_dev.rigs import redis
from loci_dev.rigs.ingress import ADMIN_KEY, Ingress, Tenant, ingress, known
from loci_dev.rigs.processes import wait_until
from loci_dev.rigs.tenants import key_record
from loci_policy.buckets.leases import LEASE_MS

LARGE = Limits(requests_per_minute=60_000, burst=50_000, max_memories=1, max_graph_nodes=1)
STEADY = Limits(requests_per_minute=1, burst=1_000, max_memories=1, max_graph_nodes=1)
PATH = "/v1/memories"


@pytest.fixture(scope="module")
def leasing(tmp_path_factory: pytest.TempPathFactory, redis_server: redis.Redis) -> Iterator[Ingress]:
    # A busy machine must not take Redis for absent: then each process would admit its share by itself.
    settings = {"LOCI_REDIS_URL": redis_server.url, "LOCI_REDIS_TIMEOUT_SECONDS": "5"}
    with ingress(tmp_path_factory.mktemp("leases"), settings, policy={"timeoutSeconds": 10}) as running:
        yield running


@pytest.fixture
def client(leasing: Ingress) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=leasing.url) as connection:
        yield connection


def metric(leasing: Ingress, name: str) -> float:
    text = httpx.get(f"{leasing.url}/metrics", headers={"authorization": f"Bearer {ADMIN_KEY}"}).text
    found = re.search(rf"^{re.escape(name)} (\S+)$", text, re.MULTILINE)
    return float(found[1]) if found else 0.0


def decided(leasing: Ingress) -> float:
    return metric(leasing, 'loci_policy_decisions_total{outcome="allowed"}')


def warm(client: httpx.Client, leasing: Ingress, tenant: Tenant) -> None:
    """Send requests until one of them was let pass by a lease."""

    def is_leased() -> bool:
        before = decided(leasing)
        for _ in range(50):
            assert client.get(PATH, headers=tenant.bearer).status_code == 200
        return decided(leasing) < before + 50

    wait_until(is_leased, "a request passes by a lease")


def renew(client: httpx.Client, leasing: Ingress, tenant: Tenant) -> None:
    """Send requests until the policy is asked, so that the lease is whole again."""
    before = decided(leasing)

    def is_asked() -> bool:
        client.get(PATH, headers=tenant.bearer)
        return decided(leasing) > before

    wait_until(is_asked, "it is renewed", interval=0)


def policy_says(leasing: Ingress, tenant: Tenant) -> int:
    """The policy's own decision, asked for past Envoy."""
    with httpx.Client(transport=httpx.HTTPTransport(uds=str(leasing.policy.socket))) as direct:
        return direct.get(f"http://policy/check{PATH}", headers=tenant.bearer).status_code


def test_most_requests_of_a_tenant_in_use_need_no_call(client: httpx.Client, leasing: Ingress, pod: str) -> None:
    with known(leasing, "busy", pod, limits=LARGE) as tenant:
        tenant.until(client, 200)
        warm(client, leasing, tenant)
        before = decided(leasing)
        for _ in range(300):
            assert client.get(PATH, headers=tenant.bearer).status_code == 200
        assert decided(leasing) - before < 150


def test_a_leased_request_reaches_the_pod_as_any_other(client: httpx.Client, leasing: Ingress, pod: str) -> None:
    with known(leasing, "same", pod, limits=LARGE) as tenant:
        tenant.until(client, 200)
        first = client.get(PATH, headers=tenant.bearer)
        warm(client, leasing, tenant)
        for _ in range(50):
            response = client.get(PATH, headers=tenant.bearer)
            seen, before = dict(response.json()["headers"]), dict(first.json()["headers"])
            for name in ("x-request-id", "traceparent", "x-loci-operation", "x-loci-lease"):
                seen.pop(name, None), before.pop(name, None)
            assert seen == before
            assert response.headers.keys() == first.headers.keys()
            assert response.headers["ratelimit-policy"] == first.headers["ratelimit-policy"]


@pytest.mark.invariant(3)
def test_leased_and_decided_requests_together_never_exceed_the_burst(
    client: httpx.Client, leasing: Ingress, pod: str
) -> None:
    def send(_: int) -> list[int]:
        with httpx.Client(base_url=leasing.url, timeout=30) as own:
            return [own.get(PATH, headers=tenant.bearer).status_code for _ in range(100)]

    with known(leasing, "exact", pod, limits=STEADY) as tenant, ThreadPoolExecutor(12) as pool:
        tenant.until(client, 200)
        statuses = list(itertools.chain.from_iterable(pool.map(send, range(12))))
    admitted = statuses.count(200) + 1  # the one until the tenant was known
    assert STEADY.burst - 100 <= admitted <= STEADY.burst + 1


@pytest.mark.invariant(3)
def test_a_costly_operation_takes_its_tokens_from_leases_too(client: httpx.Client, leasing: Ingress, pod: str) -> None:
    with known(leasing, "costly", pod, limits=STEADY, costs={"list": 5}) as tenant:
        tenant.until(client, 200)
        before = decided(leasing)
        admitted = 1 + sum(client.get(PATH, headers=tenant.bearer).status_code == 200 for _ in range(240))
        assert decided(leasing) - before < 240, "some passed by a lease"
        assert (STEADY.burst - 100) / 5 <= admitted <= STEADY.burst / 5


@pytest.mark.invariant(4)
def test_a_lease_is_worth_nothing_once_its_time_is_over(client: httpx.Client, leasing: Ingress, pod: str) -> None:
    with known(leasing, "revoked", pod, limits=LARGE) as tenant:
        tenant.until(client, 200)
        warm(client, leasing, tenant)
        renew(client, leasing, tenant)
        leasing.put(tenant.record.model_copy(update={"state": TenantState.SUSPENDED}))
        wait_until(lambda: policy_says(leasing, tenant) == 403, "the policy knows")
        over = time.monotonic() + LEASE_MS / 1000
        wait_until(lambda: time.monotonic() > over, "the lease is over")
        assert client.get(PATH, headers=tenant.bearer).status_code == 403


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (("POST", PATH), 403),
        (("DELETE", f"{PATH}/mem_1"), 403),
        (("GET", f"{PATH}/search"), 405),
        (("GET", f"{PATH}/"), 404),
        (("GET", "/v1/unknown"), 404),
        (("GET", f"{PATH}%2fmem_1"), 400),
        (("OPTIONS", PATH), 204),
    ],
)
def test_what_a_lease_does_not_cover_is_decided_by_the_policy(
    client: httpx.Client, leasing: Ingress, pod: str, request_: tuple[str, str], status: int
) -> None:
    with known(leasing, "reader", pod, limits=LARGE) as tenant:
        reader = tenant.record.model_copy(update={"keys": (key_record(tenant.key, Scope.READ),)})
        leasing.put(reader)
        tenant.until(client, 200)
        warm(client, leasing, tenant)
        assert client.request(*request_, headers=tenant.bearer).status_code == status


@pytest.mark.invariant(1)
def test_two_credentials_are_never_served_from_a_lease(client: httpx.Client, leasing: Ingress, pod: str) -> None:
    with known(leasing, "two", pod, limits=LARGE) as tenant:
        tenant.until(client, 200)
        warm(client, leasing, tenant)
        for other in ([("x-api-key", "sk-guess")], [("authorization", "Bearer sk-guess")]):
            assert client.get(PATH, headers=[*tenant.bearer.items(), *other]).status_code == 401


@pytest.mark.invariant(1)
def test_callers_copies_of_our_headers_gain_nothing_from_a_lease(
    client: httpx.Client, leasing: Ingress, pod: str
) -> None:
    with known(leasing, "copies", pod, limits=LARGE) as tenant:
        tenant.until(client, 200)
        warm(client, leasing, tenant)
        for _ in range(20):
            foreign = {"x-loci-tenant": "other", "x-loci-lease": "1000", "X-Loci-Upstream": "127.0.0.1:9"}
            seen = dict(client.get(PATH, headers={**tenant.bearer, **foreign}).json()["headers"])
            assert seen["x-loci-tenant"] == "copies"
            assert "x-loci-lease" not in seen


def test_a_leased_request_is_logged_with_its_tenant_and_operation(
    client: httpx.Client, leasing: Ingress, pod: str
) -> None:
    with known(leasing, "logged", pod, limits=LARGE) as tenant:
        tenant.until(client, 200)
        warm(client, leasing, tenant)
        wait_until(lambda: leasing.envoy.log.read_text().count('"tenant_id":"logged"') > 50, "the log is written")
        lines = [line for line in leasing.envoy.log.read_text().splitlines() if '"tenant_id":"logged"' in line]
        assert all('"method":"list"' in line for line in lines)
        assert tenant.record.ingress_token not in "".join(lines)


@pytest.mark.parametrize("limits", [STEADY.model_copy(update={"burst": 40})])
def test_a_small_limit_has_no_leases(client: httpx.Client, leasing: Ingress, pod: str, limits: Limits) -> None:
    with known(leasing, "small-lease", pod, limits=limits) as tenant:
        tenant.until(client, 200)
        assert [client.get(PATH, headers=tenant.bearer).status_code for _ in range(41)].count(200) == 39


def test_tokens_that_were_not_used_in_time_come_back(client: httpx.Client, leasing: Ingress, pod: str) -> None:
    with known(leasing, "pauses", pod, limits=STEADY) as tenant:
        tenant.until(client, 200)
        warm(client, leasing, tenant)

        def is_returned() -> bool:
            return client.get(PATH, headers=tenant.bearer).status_code == 200 and returned() > before

        def returned() -> float:
            return metric(leasing, "loci_policy_returned_tokens_total")

        before = returned()
        wait_until(is_returned, "unused tokens came back", 10, interval=0.4)


def test_envoy_serves_its_leases_while_the_policy_is_silent_and_nobody_else(
    tmp_path: Path, redis_server: redis.Redis, pod: str
) -> None:
    with (
        ingress(tmp_path, {"LOCI_REDIS_URL": redis_server.url}) as running,
        httpx.Client(base_url=running.url) as calls,
        known(running, "left", pod, limits=LARGE) as tenant,
    ):
        tenant.until(calls, 200)
        warm(calls, running, tenant)
        running.policy.process.kill()
        running.policy.process.wait()
        wait_until(lambda: calls.get(PATH, headers=tenant.bearer).status_code == 503, "the lease is over", 5)
        assert {calls.get(PATH, headers=tenant.bearer).status_code for _ in range(20)} == {503}
