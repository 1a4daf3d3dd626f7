"""What a caller is told, and that whatever goes wrong, nobody passes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from structlog.testing import capture_logs

from loci_contract import keys
from loci_contract.registry import Limits, Scope
from loci_dev.rigs.tenants import LIMITS, key_record, record
from loci_policy.buckets.bucket import Buckets, BucketsUnavailableError, Verdict
from loci_policy.buckets.memory import LocalBuckets
from loci_policy.cors import Cors
from loci_policy.decision import Request
from loci_policy.gate import Gate, Pass
from loci_policy.metrics import Metrics
from loci_policy.responses import Response
from loci_policy.table import Grant, Table

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
KEY, READER = keys.generate("acme"), keys.generate("acme")
ACME = record("acme", key_record(KEY), key_record(READER, Scope.READ))


class Fixed:
    def __init__(self, answer: Verdict | Exception) -> None:
        self.answer = answer

    async def take(self, tenant: str, limits: Limits, cost: int) -> Verdict:  # noqa: ARG002 - the Protocol's arguments
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


class BrokenTable(Table):
    def find(self, key: str) -> Grant | None:
        raise RuntimeError(key)


def gate(buckets: Buckets | None = None, table: Table | None = None) -> Gate:
    return Gate(Table([ACME]) if table is None else table, buckets or LocalBuckets(), Metrics(), now=lambda: NOW)


async def answer_to(the_gate: Gate, method: str = "GET", path: str = "/v1/memories", key: str = KEY) -> Response:
    answer = await the_gate.admit(Request(method, path, f"Bearer {key}"), "request-1")
    assert isinstance(answer, Response)
    return answer


def body(answer: Response) -> dict[str, Any]:
    assert dict(answer.headers)[b"content-type"] == b"application/json"
    document: dict[str, Any] = orjson.loads(answer.body)
    assert document["request_id"] == "request-1"
    assert document["message"]
    return document


@pytest.mark.parametrize(
    ("method", "path", "key", "status", "error"),
    [
        ("GET", "/v1/memories", "sk-guess", 401, "unauthorized"),
        ("POST", "/v1/memories", READER, 403, "forbidden"),
        ("GET", "/nowhere", KEY, 404, "not_found"),
        ("TRACE", "/v1/memories", KEY, 405, "method_not_allowed"),
        ("GET", "/v1/memories/search", KEY, 405, "method_not_allowed"),
        ("GET", "/v1/../x", KEY, 400, "bad_request"),
    ],
    ids=[
        "unauthorized",
        "forbidden",
        "not_found",
        "method_not_allowed",
        "other_method",
        "bad_request",
    ],  # keys differ in each process
)
async def test_a_refusal_has_the_one_error_shape(method: str, path: str, key: str, status: int, error: str) -> None:
    answer = await answer_to(gate(), method, path, key)
    assert answer.status == status
    assert body(answer)["error"] == error


async def test_a_request_that_passes_tells_its_rate() -> None:
    passed = await gate(Fixed(Verdict(allowed=True, remaining=41, retry_after=0, reset_after=5.9))).admit(
        Request("GET", "/v1/memories", api_key=KEY), "request-1"
    )
    assert isinstance(passed, Pass)
    assert dict(passed.client_headers) == {
        b"ratelimit-policy": b'"burst";q=100;w=10, "minute";q=600;w=60',
        b"ratelimit": b'"burst";r=41;t=6',
        b"x-ratelimit-limit": b"600",
        b"x-ratelimit-remaining": b"41",
        b"x-ratelimit-reset": b"%d" % (NOW.timestamp() + 6),
    }


async def test_a_request_beyond_the_rate_gets_429_with_all_it_needs_to_wait() -> None:
    verdict = Verdict(allowed=False, remaining=0, retry_after=0.0501, reset_after=10, degraded=True)
    answer = await answer_to(gate(Fixed(verdict)))
    assert answer.status == 429
    assert body(answer) == {
        "error": "rate_limit_exceeded",
        "message": "The burst capacity of 100 requests is used up. "
        "It refills at 600 requests a minute: try again in 1 s.",
        "request_id": "request-1",
        "policy": "burst",
        "retry_after": 1,
        "limit": 600,
        "burst": 100,
        "remaining": 0,
        "reset_at": "2026-11-23T12:00:10.000Z",
    }
    headers = dict(answer.headers)
    assert headers[b"retry-after"] == b"1"
    assert headers[b"ratelimit"] == b'"burst";r=0;t=10'
    assert headers[b"x-ratelimit-mode"] == b"local"


@pytest.mark.parametrize("error", [BucketsUnavailableError(), RuntimeError(KEY)])
async def test_nobody_passes_when_no_bucket_can_tell(error: Exception) -> None:
    with capture_logs() as logs:
        answer = await answer_to(gate(Fixed(error)))
    assert answer.status == 503
    assert body(answer)["error"] == "service_unavailable"
    assert KEY not in str(logs)


async def test_nobody_passes_when_the_decision_fails_and_no_key_is_logged() -> None:
    with capture_logs() as logs:
        answer = await answer_to(gate(table=BrokenTable()))
    assert answer.status == 503
    assert logs
    assert KEY not in str(logs)


@pytest.mark.invariant(3)
@pytest.mark.parametrize(("cost", "passing"), [(1, 4), (2, 2), (4, 1), (100, 1)])
async def test_an_operation_takes_what_the_tier_says_and_no_more_than_a_full_bucket(cost: int, passing: int) -> None:
    limits = LIMITS.model_copy(update={"requests_per_minute": 1, "burst": 4})
    costly = record("acme", key_record(KEY), limits=limits, costs={"search": cost})
    gate = Gate(Table([costly]), LocalBuckets(), Metrics())
    asked = Request("POST", "/v1/memories/search", f"Bearer {KEY}")
    answers = [await gate.admit(asked, "id") for _ in range(5)]
    assert sum(isinstance(answer, Pass) for answer in answers) == passing


async def test_a_refused_request_takes_no_token() -> None:
    limits = LIMITS.model_copy(update={"burst": 1})
    the_gate = gate(table=Table([record("acme", key_record(KEY), key_record(READER, Scope.READ), limits=limits)]))
    assert (await answer_to(the_gate, "POST", key=READER)).status == 403
    assert isinstance(await the_gate.admit(Request("GET", "/v1/memories", api_key=KEY), "request-1"), Pass)


@pytest.mark.parametrize("retry_after", [0.0, 0.0004, 0.05, 0.999, 1.0])
async def test_a_refused_request_is_never_told_to_come_back_at_once(retry_after: float) -> None:
    verdict = Verdict(allowed=False, remaining=0, retry_after=retry_after, reset_after=10)
    response = await answer_to(gate(Fixed(verdict)))
    assert body(response)["retry_after"] == 1
    assert "in 1 s." in body(response)["message"]
    assert dict(response.headers)[b"retry-after"] == b"1"
    assert response.operation == "list"


PAGE = "https://app.example.com"


def cross_origin(*origins: str) -> Gate:
    return Gate(Table([ACME]), LocalBuckets(), Metrics(), Cors(origins), now=lambda: NOW)


async def cors_headers(the_gate: Gate, method: str, origin: str | None, path: str = "/v1/memories") -> dict[str, str]:
    decision = await the_gate.admit(Request(method, path, f"Bearer {KEY}", origin=origin), "request-1")
    headers = decision.client_headers if isinstance(decision, Pass) else decision.headers
    return {name.decode(): value.decode() for name, value in headers if name.startswith((b"access-control", b"vary"))}


@pytest.mark.parametrize("method", ["GET", "OPTIONS", "DELETE"])
async def test_without_configured_origins_there_is_no_cors_header(method: str) -> None:
    assert await cors_headers(cross_origin(), method, PAGE) == {}


async def test_a_preflight_request_is_told_methods_and_headers() -> None:
    headers = await cors_headers(cross_origin(PAGE), "OPTIONS", PAGE, "/v1/memories/search")
    assert headers["access-control-allow-origin"] == PAGE
    assert headers["access-control-allow-methods"] == "POST, OPTIONS"
    assert {"authorization", "content-type", "if-match"} <= set(headers["access-control-allow-headers"].split(", "))
    assert headers["vary"] == "origin"


@pytest.mark.parametrize(("method", "path"), [("GET", "/v1/memories"), ("DELETE", "/v1/memories"), ("GET", "/v9")])
async def test_an_allowed_page_may_read_every_response_refusals_too(method: str, path: str) -> None:
    headers = await cors_headers(cross_origin(PAGE, "https://b.example"), method, PAGE, path)
    assert headers["access-control-allow-origin"] == PAGE
    assert "retry-after" in headers["access-control-expose-headers"]
    assert (await cors_headers(cross_origin("*"), method, PAGE, path))["access-control-allow-origin"] == "*"


@pytest.mark.parametrize("origin", ["https://evil.example", "https://app.example.com.evil.example", "null", None])
async def test_another_page_is_allowed_nothing(origin: str | None) -> None:
    assert await cors_headers(cross_origin(PAGE), "OPTIONS", origin) == {"vary": "origin"}
