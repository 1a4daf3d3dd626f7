"""Tenants made, changed and removed over /admin of a whole `loci serve`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from loci_contract.errors import ErrorBody
from loci_dev.rigs.standalone import ADMIN_KEY, Served, serve


@pytest.fixture
def admin(served: Served) -> Iterator[httpx.Client]:
    with served.client(ADMIN_KEY) as client:
        yield client


def make(admin: httpx.Client, name: str, tier: str = "pro") -> str:
    answer = admin.post("/admin/tenants", json={"name": name, "tier": tier})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["api_key"])


def remember(served: Served, key: str) -> str:
    with served.client(key) as client:
        answer = client.post("/v1/memories", json={"content": "a memory"})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def status(served: Served, key: str, path: str = "/v1/memories") -> int:
    with served.client(key) as client:
        return client.get(path).status_code


def test_a_tenant_is_made_with_its_key_and_limits(served: Served, admin: httpx.Client) -> None:
    answer = admin.post("/admin/tenants", json={"name": "Blue_Corp", "tier": "pro"})
    body = answer.json()
    assert (answer.status_code, body["tenant_id"], body["tier"]) == (201, "blue-corp", "pro")
    assert body["limits"]["requests_per_minute"] == 1000
    assert body["limits"]["max_memories"] == 100_000
    assert body["api_key"].startswith("sk-blue-corp-")
    assert remember(served, body["api_key"])
    kept = (served.data / "tenants" / "blue-corp.yaml").read_text()
    assert body["api_key"] not in kept + served.log.read_text()


def test_a_free_tenants_limit_is_the_free_tiers(served: Served, admin: httpx.Client) -> None:
    with served.client(make(admin, "thrifty", "free")) as client:
        assert client.get("/v1/usage").headers["x-ratelimit-limit"] == "100"


def tokens_left(served: Served, key: str) -> int:
    with served.client(key) as client:
        return int(client.get("/v1/usage").headers["x-ratelimit-remaining"])


@pytest.mark.invariant(4)
def test_a_rotated_key_keeps_the_bucket_and_ends_with_the_overlap(served: Served, admin: httpx.Client) -> None:
    old = make(admin, "rotating", "free")
    for _ in range(10):
        left = tokens_left(served, old)
    rotation = "/admin/tenants/rotating/keys/default/rotate"
    new = admin.post(rotation, json={"overlap": "1h"}).json()["api_key"]
    assert tokens_left(served, new) <= left
    assert (status(served, old), status(served, new)) == (200, 200)
    newest = admin.post(rotation, json={"overlap": "0s"}).json()["api_key"]
    assert [status(served, key) for key in (old, new, newest)] == [200, 401, 200]
    admin.delete("/admin/tenants/rotating/keys/default-rotated-1")
    assert status(served, old) == 401


def test_suspending_and_resuming_take_effect_at_once(served: Served, admin: httpx.Client) -> None:
    key = make(admin, "paused")
    assert admin.post("/admin/tenants/paused/suspend").json()["phase"] == "Suspended"
    assert status(served, key) == 403
    admin.post("/admin/tenants/paused/resume")
    assert status(served, key) == 200


def test_changing_the_tier_changes_the_limits_at_once(served: Served, admin: httpx.Client) -> None:
    key = make(admin, "grows", "free")
    assert admin.patch("/admin/tenants/grows", json={"tier": "pro"}).status_code == 200
    with served.client(key) as client:
        assert client.get("/v1/usage").headers["x-ratelimit-limit"] == "1000"


def test_a_quota_that_is_lowered_counts_at_once(served: Served, admin: httpx.Client) -> None:
    key = make(admin, "shrinks", "enterprise")
    remember(served, key)
    assert admin.patch("/admin/tenants/shrinks", json={"limits": {"max_memories": 1}}).status_code == 200
    with served.client(key) as client:
        refused = client.post("/v1/memories", json={"content": "one too many"})
    assert ErrorBody.model_validate_json(refused.content).error == "quota_exceeded"


def test_keys_come_and_go_and_scopes_hold(served: Served, admin: httpx.Client) -> None:
    first = make(admin, "keyed")
    made = admin.post("/admin/tenants/keyed/keys", json={"name": "reader", "scopes": ["read"]})
    reader = made.json()["api_key"]
    with served.client(reader) as client:
        assert client.get("/v1/memories").status_code == 200
        assert client.post("/v1/memories", json={"content": "no"}).status_code == 403
    assert admin.delete("/admin/tenants/keyed/keys/reader").status_code == 204
    assert status(served, reader) == 401
    assert status(served, first) == 200


def test_a_deleted_tenant_is_refused_and_its_name_is_kept_from_others_while_its_data_is(
    served: Served, admin: httpx.Client
) -> None:
    key = make(admin, "leaves")
    memory = remember(served, key)
    assert admin.delete("/admin/tenants/leaves").status_code == 202
    assert status(served, key, f"/v1/memories/{memory}") == 401
    again = admin.post("/admin/tenants", json={"name": "leaves", "tier": "pro"})
    assert (again.status_code, ErrorBody.model_validate_json(again.content).error) == (409, "conflict")
    assert "Data of an earlier tenant" in again.json()["message"]


BAD_TENANTS = {
    "malformed JSON": (b'{"name": ', 400),
    "unknown tier": (b'{"name": "x", "tier": "gold"}', 422),
    "no tier": (b'{"name": "x"}', 422),
    "wrong type": (b'{"name": 7, "tier": "pro"}', 422),
    "unknown field": (b'{"name": "x", "tier": "pro", "colour": "red"}', 422),
    "empty name": (b'{"name": "", "tier": "pro"}', 422),
    "a name of signs": (b'{"name": "../..", "tier": "pro"}', 422),
    "a name that is too long": (b'{"name": "' + b"x" * 41 + b'", "tier": "pro"}', 422),
    "a reserved name": (b'{"name": "system", "tier": "pro"}', 422),
    "invalid UTF-8": (b'{"name": "\xff", "tier": "pro"}', 400),
    "a name that is taken": (b'{"name": "acme", "tier": "pro"}', 409),
    "limits that the tier forbids": (b'{"name": "x", "tier": "pro", "limits": {"burst": 5}}', 422),
}


@pytest.mark.parametrize(("body", "expected"), BAD_TENANTS.values(), ids=BAD_TENANTS.keys())
def test_a_tenant_that_cannot_be_gets_a_4xx_in_the_one_shape(
    served: Served, admin: httpx.Client, body: bytes, expected: int
) -> None:
    answer = admin.post("/admin/tenants", content=body)
    assert answer.status_code == expected, answer.text
    ErrorBody.model_validate_json(answer.content)
    assert not (served.data / "tenants" / "x.yaml").exists()


@pytest.mark.parametrize("key", [None, "wrong", "sk-acme-guess"])
def test_only_the_admin_key_opens_admin(served: Served, key: str | None) -> None:
    with served.client(key) as client:
        answer = client.get("/admin/tenants")
    assert (answer.status_code, ErrorBody.model_validate_json(answer.content).error) == (401, "unauthorized")


def test_a_restart_keeps_tenants_keys_and_memories(tmp_path: Path) -> None:
    with serve(tmp_path) as first, first.client(ADMIN_KEY) as admin:
        key = make(admin, "stays")
        memory = remember(first, key)
        make(admin, "goes")
        admin.delete("/admin/tenants/goes")
        first.process.kill()
        first.process.wait()
    with serve(tmp_path) as second, second.client(ADMIN_KEY) as admin:
        assert status(second, key, f"/v1/memories/{memory}") == 200
        assert [tenant["tenant_id"] for tenant in admin.get("/admin/tenants").json()["tenants"]] == ["stays"]
