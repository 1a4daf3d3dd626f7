"""Request ids and trace contexts through the real Envoy: kept when they are safe to log, made otherwise."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx
import pytest

from loci_contract.registry import Scope
from loci_dev.rigs.ingress import ADMIN_KEY, Ingress, Tenant, known
from loci_dev.rigs.processes import wait_until

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
TRACE = "0af7651916cd43dd8448eb211c80319c"
SPAN = "b7ad6b7169203331"
KEY = "sk-other-0123456789ABCDEFGHIJKLMNOPQRSTUVW0vRuTD"
ADMIN = {"authorization": f"Bearer {ADMIN_KEY}"}


@pytest.fixture(scope="module")
def ided(the_ingress: Ingress, pod: str) -> Iterator[Tenant]:
    with known(the_ingress, "ided", pod, Scope.WRITE) as tenant:
        yield tenant


def sent(client: httpx.Client, tenant: Tenant, headers: dict[str, str]) -> tuple[httpx.Response, dict[str, str]]:
    answer = client.get("/v1/memories", headers={**tenant.bearer, **headers})
    assert answer.status_code == 200, answer.text
    return answer, dict(answer.json()["headers"])


@pytest.mark.parametrize(
    "asked", ["r", "x" * 128, "task-42", "a.b_c~d!#$%&'*+^`|", "9-" * 20, "disk-sk", "0123456789abcdef" * 4]
)
def test_a_token_is_kept(client: httpx.Client, ided: Tenant, asked: str) -> None:
    answer, seen = sent(client, ided, {"x-request-id": asked})
    assert answer.headers["x-request-id"] == seen["x-request-id"] == asked


REPLACED = {
    "long": "x" * 129,
    "words": "two words",
    "quote": 'a"b',
    "comma": "a,b",
    "key": KEY,
    "key in a word": f"retry{KEY}",
    "key after a dot": f"req.{KEY}",
    "part of a key": KEY[:30],
    "bearer": f"Bearer {KEY}",
    "header": f"Authorization:{KEY}",
}


@pytest.mark.invariant(5)
@pytest.mark.parametrize("path", ["/v1/memories", "/v1/unknown", "/v1/../memories/%2f", "/admin/tenants", "/livez"])
@pytest.mark.parametrize("asked", REPLACED.values(), ids=REPLACED.keys())
def test_another_id_is_replaced_and_never_logged(
    client: httpx.Client, the_ingress: Ingress, ided: Tenant, asked: str, path: str
) -> None:
    answer = client.get(path, headers={**ided.bearer, "x-request-id": asked})
    made = answer.headers["x-request-id"]
    assert UUID.fullmatch(made)
    if not answer.is_success:
        assert answer.json()["request_id"] == made
    wait_until(lambda: made in the_ingress.envoy.log.read_text(), "Envoy logs the request", interval=0.01)
    logs = (the_ingress.envoy.log, the_ingress.policy.log, the_ingress.envoy.log.with_name("envoy.log.err"))
    assert not [log.name for log in logs if asked in log.read_text()]


@pytest.mark.invariant(5)
@pytest.mark.parametrize("asked", [ADMIN_KEY, f"id-{ADMIN_KEY}"])
def test_an_id_that_holds_the_requests_own_credential_is_replaced(client: httpx.Client, asked: str) -> None:
    for headers in (ADMIN, {"x-api-key": ADMIN_KEY}):
        answer = client.get("/metrics", headers={**headers, "x-request-id": asked})
        assert answer.is_success
        assert UUID.fullmatch(answer.headers["x-request-id"])


def test_a_made_id_is_the_same_for_the_pod_the_caller_and_the_log(
    client: httpx.Client, the_ingress: Ingress, ided: Tenant
) -> None:
    answer, seen = sent(client, ided, {})
    made = answer.headers["x-request-id"]
    assert UUID.fullmatch(made)
    assert answer.headers.get_list("x-request-id") == [seen["x-request-id"]]
    wait_until(lambda: made in the_ingress.envoy.log.read_text(), "Envoy logs the request", interval=0.01)


REFUSED = {
    "by the policy": ("GET", "/v1/unknown", 404),
    "without a key": ("GET", "/v1/memories", 401),
    "by the route": ("TRACE", "/v1/memories", 405),
    "before routing": ("GET", "/v1/a%2fb", 400),
    "without an upstream": ("GET", "/admin/tenants", 503),
}


@pytest.mark.parametrize("asked", ["kept-1", None])
@pytest.mark.parametrize(("method", "path", "status"), REFUSED.values(), ids=REFUSED.keys())
def test_a_refusals_id_is_that_of_its_header(
    client: httpx.Client, method: str, path: str, status: int, asked: str | None
) -> None:
    answer = client.request(method, path, headers={"x-request-id": asked} if asked else {})
    assert answer.status_code == status
    assert answer.headers.get_list("x-request-id") == [answer.json()["request_id"]]
    assert asked is None or answer.json()["request_id"] == asked


@pytest.mark.parametrize("given", [f"00-{TRACE}-{SPAN}-01", f"00-{TRACE}-{SPAN}-00", f"cc-{TRACE}-{SPAN}-01-more"])
def test_a_valid_trace_context_is_kept(client: httpx.Client, the_ingress: Ingress, ided: Tenant, given: str) -> None:
    answer, seen = sent(client, ided, {"traceparent": given, "tracestate": "vendor=1"})
    assert seen["traceparent"] == given
    assert "tracestate" not in seen  # a caller can write anything into it
    made = answer.headers["x-request-id"]
    wait_until(lambda: made in the_ingress.envoy.log.read_text(), "Envoy logs the request", interval=0.01)
    line = next(line for line in the_ingress.envoy.log.read_text().splitlines() if made in line)
    assert f'"trace_id":"{TRACE}"' in line


@pytest.mark.parametrize(
    "given",
    [
        None,
        "nonsense",
        KEY,
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE}-{SPAN}-01-more",
        f"00-{TRACE[:-1]}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}",
    ],
)
def test_another_trace_context_is_made(client: httpx.Client, ided: Tenant, given: str | None) -> None:
    headers = {"tracestate": "vendor=1"} | ({"traceparent": given} if given else {})
    _, seen = sent(client, ided, headers)
    assert re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-01", seen["traceparent"])
    assert TRACE not in seen["traceparent"]
    assert "tracestate" not in seen
