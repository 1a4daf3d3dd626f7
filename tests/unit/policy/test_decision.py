"""The decision as a table: what is asked, by whom, and what comes of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from loci_contract import keys
from loci_contract.registry import Scope, TenantState
from loci_dev.rigs.tenants import key_record, record
from loci_policy.decision import Allow, Deny, Options, Outcome, Request, decide
from loci_policy.table import Table

NOW = datetime(2026, 11, 23, tzinfo=UTC)
READER, WRITER, ADMIN, EXPIRED = (keys.generate("acme") for _ in range(4))
SUSPENDED, DELETING, HIBERNATED = (keys.generate(name) for name in ("paused", "leaving", "asleep"))
ACME = record(
    "acme",
    key_record(READER, Scope.READ),
    key_record(WRITER, Scope.WRITE, expires_at=NOW + timedelta(seconds=1)),
    key_record(ADMIN, Scope.ADMIN),
    key_record(EXPIRED, expires_at=NOW),
)
TABLE = Table(
    [
        ACME,
        record("paused", key_record(SUSPENDED), state=TenantState.SUSPENDED),
        record("leaving", key_record(DELETING), state=TenantState.DELETING),
        record("asleep", key_record(HIBERNATED), state=TenantState.HIBERNATED),
    ]
)


def outcome(method: str, path: str, authorization: str | None, api_key: str | None = None) -> Outcome:
    decision = decide(Request(method, path, authorization, api_key), TABLE, NOW)
    return decision.outcome if isinstance(decision, Deny) else Outcome.ALLOWED


@pytest.mark.parametrize(
    ("authorization", "api_key", "expected"),
    [
        (f"Bearer {READER}", None, Outcome.ALLOWED),
        (f"bearer {READER}", None, Outcome.ALLOWED),
        (None, READER, Outcome.ALLOWED),
        (f"Bearer {READER}", READER, Outcome.ALLOWED),
        (f"Bearer {READER}", WRITER, Outcome.CONFLICTING_KEYS),
        ("Basic YTpi", READER, Outcome.CONFLICTING_KEYS),
        (f"Bearer {READER}, Bearer {WRITER}", None, Outcome.MALFORMED_KEY),
        (None, None, Outcome.NO_KEY),
        ("Basic YTpi", None, Outcome.WRONG_SCHEME),
        (f"Token {READER}", None, Outcome.WRONG_SCHEME),
        (READER, None, Outcome.WRONG_SCHEME),
        ("Bearer", None, Outcome.WRONG_SCHEME),
        ("", None, Outcome.WRONG_SCHEME),
        (None, "", Outcome.MALFORMED_KEY),
        (f"Bearer {READER[:-1]}", None, Outcome.MALFORMED_KEY),
        (f"Bearer {READER}\u00e9", None, Outcome.MALFORMED_KEY),
        (f"Bearer {keys.generate('acme')}", None, Outcome.UNKNOWN_KEY),
        (f"Bearer {keys.generate('nobody')}", None, Outcome.UNKNOWN_KEY),
        (f"Bearer {EXPIRED}", None, Outcome.EXPIRED_KEY),
        (f"Bearer {SUSPENDED}", None, Outcome.SUSPENDED),
        (f"Bearer {DELETING}", None, Outcome.DELETING),
        (f"Bearer {HIBERNATED}", None, Outcome.NOT_SERVING),
    ],
    ids=lambda value: value if isinstance(value, Outcome) else "",  # keys are new at each run
)
def test_a_key_gives_what_its_record_says(authorization: str | None, api_key: str | None, expected: Outcome) -> None:
    assert outcome("GET", "/v1/memories", authorization, api_key) is expected


@pytest.mark.parametrize(
    ("method", "path", "reader", "writer"),
    [
        ("GET", "/v1/memories", True, True),
        ("HEAD", "/health", True, True),
        ("POST", "/v1/memories/search", True, True),
        ("POST", "/v1/memories", False, True),
        ("PUT", "/v1/memories/mem_1", False, True),
        ("HEAD", "/v1/memories/mem_1", True, True),
        ("GET", "/v1/usage", True, True),
        ("PATCH", "/v1/memories/mem_1", False, True),
        ("DELETE", "/v1/memories/mem_1", False, True),
    ],
)
def test_writing_needs_the_write_scope(method: str, path: str, *, reader: bool, writer: bool) -> None:
    refused = Outcome.MISSING_SCOPE
    assert outcome(method, path, f"Bearer {READER}") is (Outcome.ALLOWED if reader else refused)
    assert outcome(method, path, f"Bearer {WRITER}") is (Outcome.ALLOWED if writer else refused)
    assert outcome(method, path, f"Bearer {ADMIN}") is Outcome.ALLOWED


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/v1/memories/mem_1", Outcome.ALLOWED),
        ("/v1/usage", Outcome.ALLOWED),
        ("/v1/memories/%73earch", Outcome.BAD_METHOD),
        ("/v1/memor%69es", Outcome.ALLOWED),
        ("/v1/memories/search", Outcome.BAD_METHOD),
        ("/v1/memories/", Outcome.UNKNOWN_PATH),
        ("/v1/memories/mem_1/more", Outcome.UNKNOWN_PATH),
        ("/v2/entities", Outcome.ALLOWED),
        ("/v2/nothing", Outcome.UNKNOWN_PATH),
        ("/health", Outcome.ALLOWED),
        ("/v1/memories/caf%C3%A9", Outcome.ALLOWED),
        ("/", Outcome.UNKNOWN_PATH),
        ("/v1", Outcome.UNKNOWN_PATH),
        ("/v3/memories", Outcome.UNKNOWN_PATH),
        ("/healthy", Outcome.UNKNOWN_PATH),
        ("/metrics", Outcome.UNKNOWN_PATH),
        ("/admin/tenants", Outcome.UNKNOWN_PATH),
        ("/V1/memories", Outcome.UNKNOWN_PATH),
        ("//v1/memories", Outcome.BAD_PATH),
        ("/v1//memories", Outcome.BAD_PATH),
        ("/v1/../metrics", Outcome.BAD_PATH),
        ("/v1/..", Outcome.BAD_PATH),
        ("/v1/./memories", Outcome.BAD_PATH),
        ("/v1/%2e%2e/metrics", Outcome.BAD_PATH),
        ("/v1/a%2Fb", Outcome.BAD_PATH),
        ("/v1/a%5cb", Outcome.BAD_PATH),
        ("/v1/a\\b", Outcome.BAD_PATH),
        ("/v1/memories;x=1", Outcome.BAD_PATH),
        ("/v1/memories%3Bx", Outcome.BAD_PATH),
        ("/v1/a%00b", Outcome.BAD_PATH),
        ("/v1/a b", Outcome.BAD_PATH),
        ("/v1/caf\u00e9", Outcome.BAD_PATH),
    ],
)
def test_only_simple_known_paths_pass(path: str, expected: Outcome) -> None:
    assert outcome("GET", path, f"Bearer {ADMIN}") is expected


@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "PROPFIND", "get", "PATCH", "PUT"])
def test_other_methods_are_refused_whatever_the_key(method: str) -> None:
    for key in (f"Bearer {ADMIN}", None):
        decision = decide(Request(method, "/v1/memories", key), TABLE, NOW)
        assert isinstance(decision, Deny)
        assert (decision.outcome, decision.status) == (Outcome.BAD_METHOD, 405)
        assert decision.allow == "GET, HEAD, POST, DELETE, OPTIONS"


def test_options_needs_no_key() -> None:
    decision = decide(Request("OPTIONS", "/v1/memories/mem_1"), TABLE, NOW)
    assert isinstance(decision, Options)
    assert decision.resource.allow == "GET, HEAD, PUT, PATCH, DELETE, OPTIONS"


@pytest.mark.parametrize(
    ("path", "named"),
    [
        ("/v1/memories/", "/v1/memories,"),
        ("/v1/memories/mem_1/", "/v1/memories/{memory_id},"),
        ("/health/", "/health,"),
        ("/livez/", "/livez,"),
        ("/admin/tenants/", "/admin/tenants,"),
        ("/v1/other/", "There is nothing at this path."),
    ],
)
def test_a_slash_at_the_end_is_404_with_the_path_to_use(path: str, named: str) -> None:
    decision = decide(Request("GET", path), TABLE, NOW)
    assert isinstance(decision, Deny)
    assert decision.status == 404
    assert named in decision.message


@pytest.mark.parametrize(
    "authorization",
    [f"Token {READER}", READER, "Basic YTpi", "Bearer", None, "Bearer guess"],
    ids=["token", "bare", "basic", "no credential", "none", "no key"],  # keys are new at each run
)
def test_a_credential_in_another_form_is_told_the_right_one_and_not_repeated(authorization: str | None) -> None:
    decision = decide(Request("GET", "/v1/memories", authorization), TABLE, NOW)
    assert isinstance(decision, Deny)
    assert decision.status == 401
    assert "`Authorization: Bearer sk-...` or `X-API-Key: sk-...`" in decision.message
    assert READER not in decision.message


@pytest.mark.invariant(4)
def test_expiry_is_judged_at_each_request() -> None:
    request = Request("GET", "/v1/memories", f"Bearer {WRITER}")
    assert isinstance(decide(request, TABLE, NOW), Allow)
    assert isinstance(decide(request, TABLE, NOW + timedelta(seconds=1)), Deny)


@pytest.mark.invariant(1)
def test_a_hash_that_another_tenant_claims_does_not_capture_the_key() -> None:
    table = Table([ACME, record("thief", key_record(READER, Scope.ADMIN))])
    decision = decide(Request("GET", "/v1/memories", f"Bearer {READER}"), table, NOW)
    assert isinstance(decision, Allow)
    assert decision.grant.record.tenant == "acme"
    table.remove("acme")
    assert isinstance(decide(Request("GET", "/v1/memories", f"Bearer {READER}"), table, NOW), Deny)


def test_the_grant_carries_our_headers_ready_made() -> None:
    decision = decide(Request("GET", "/v1/memories", f"Bearer {WRITER}"), TABLE, NOW)
    assert isinstance(decision, Allow)
    assert dict(decision.grant.upstream_headers) == {
        b"x-loci-upstream": b"127.0.0.1:9",
        b"x-loci-tenant": b"acme",
        b"x-loci-key-id": keys.key_id(keys.sha256(WRITER)).encode(),
        b"x-loci-scopes": b"read,write",
        b"x-loci-ingress-token": b"token-of-acme",
    }
