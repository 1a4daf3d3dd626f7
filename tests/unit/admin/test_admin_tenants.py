"""Creating and changing tenants."""

from typing import Any, Protocol

import httpx
import pytest

from loci_contract.keys import is_well_formed, sha256, tenant_of
from loci_resources.tenant import MemoryTenant

TENANTS = "/admin/tenants"


class Store(Protocol):
    held: dict[str, MemoryTenant]


async def create(admin: httpx.AsyncClient, **body: Any) -> dict[str, Any]:
    answer = await admin.post(TENANTS, json={"name": "acme_corp", "tier": "enterprise", **body})
    assert answer.status_code == 201, answer.text
    created: dict[str, Any] = answer.json()
    return created


async def test_a_new_tenant_is_kept_with_its_keys_hash_alone(admin: httpx.AsyncClient, store: Store) -> None:
    created = await create(admin, tier="pro")
    assert is_well_formed(created["api_key"])
    assert tenant_of(created["api_key"]) == created["tenant_id"] == "acme-corp"
    kept = store.held["acme-corp"]
    assert [(key.name, key.sha256) for key in kept.spec.api_keys] == [("default", sha256(created["api_key"]))]
    assert created["api_key"] not in kept.model_dump_json()
    assert kept.spec.display_name == "acme_corp"


async def test_a_key_is_not_to_be_cached(admin: httpx.AsyncClient) -> None:
    answer = await admin.post(TENANTS, json={"name": "a", "tier": "pro"})
    assert (answer.headers["cache-control"], answer.headers["location"]) == ("no-store", "/admin/tenants/a")


@pytest.mark.parametrize("content_type", ["application/x-www-form-urlencoded", "text/plain", None])
async def test_a_body_is_json_whatever_it_is_called(admin: httpx.AsyncClient, content_type: str | None) -> None:
    headers = {"Content-Type": content_type} if content_type else {}
    answer = await admin.post(TENANTS, content=b'{"name": "a", "tier": "pro"}', headers=headers)
    assert answer.status_code == 201


@pytest.mark.parametrize("tier", ["gold", "Gold Tier!", "PRO", "a" * 100])
async def test_an_unknown_tier_is_refused_with_those_there_are(admin: httpx.AsyncClient, tier: str) -> None:
    answer = await admin.post(TENANTS, json={"name": "a", "tier": tier})
    assert (answer.status_code, [f["field"] for f in answer.json()["fields"]]) == (422, ["body.tier"])
    assert "enterprise, free, pro" in answer.json()["message"]
    assert tier not in answer.text


async def test_a_name_that_is_taken_is_refused_and_its_tenant_stays(admin: httpx.AsyncClient, store: Store) -> None:
    await create(admin)
    before = store.held["acme-corp"]
    answer = await admin.post(TENANTS, json={"name": "ACME corp", "tier": "free"})
    assert (answer.status_code, answer.json()["error"]) == (409, "conflict")
    assert store.held == {"acme-corp": before}


async def test_a_patch_changes_what_it_names_alone(admin: httpx.AsyncClient) -> None:
    await create(admin, limits={"burst": 7, "max_memories": 9}, display_name="Acme")
    patched = (await admin.patch(f"{TENANTS}/acme-corp", json={"limits": {"burst": 8}})).json()
    assert (patched["limits"]["burst"], patched["limits"]["max_memories"]) == (8, 9)
    assert (patched["display_name"], patched["tier"]) == ("Acme", "enterprise")


async def test_a_limit_that_is_null_is_the_tiers_again(admin: httpx.AsyncClient) -> None:
    await create(admin, limits={"burst": 7, "max_memories": 9})
    patched = (await admin.patch(f"{TENANTS}/acme-corp", json={"limits": {"burst": None}})).json()
    assert (patched["limits"]["burst"], patched["limits"]["max_memories"]) == (1_000, 9)


async def test_a_tier_without_overrides_is_refused_until_they_go(admin: httpx.AsyncClient) -> None:
    await create(admin, limits={"burst": 7})
    refused = await admin.patch(f"{TENANTS}/acme-corp", json={"tier": "pro"})
    assert (refused.status_code, [f["field"] for f in refused.json()["fields"]]) == (422, ["body.limits"])
    changed = await admin.patch(f"{TENANTS}/acme-corp", json={"tier": "pro", "limits": None})
    assert (changed.status_code, changed.json()["limits"]["burst"]) == (200, 100)


async def test_pages_hold_every_tenant_once(admin: httpx.AsyncClient) -> None:
    for name in ("d", "b", "a", "c", "e"):
        await create(admin, name=name)
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = (await admin.get(TENANTS, params={"limit": 2, "cursor": cursor})).json()
        seen += [tenant["tenant_id"] for tenant in page["tenants"]]
        cursor = page["next_cursor"]
    assert seen == ["a", "b", "c", "d", "e"]


async def test_a_tenant_without_its_tier_is_still_shown(admin: httpx.AsyncClient, store: Store) -> None:
    await create(admin)
    tenant = store.held["acme-corp"]
    store.held["acme-corp"] = tenant.model_copy(update={"spec": tenant.spec.model_copy(update={"tier": "gone"})})
    shown = (await admin.get(f"{TENANTS}/acme-corp")).json()
    assert (shown["tier"], shown["limits"]) == ("gone", None)


async def test_suspending_keeps_everything_else(admin: httpx.AsyncClient, store: Store) -> None:
    await create(admin)
    before = store.held["acme-corp"].spec
    assert (await admin.post(f"{TENANTS}/acme-corp/suspend")).json()["suspended"] is True
    assert (await admin.post(f"{TENANTS}/acme-corp/resume")).json()["suspended"] is False
    assert store.held["acme-corp"].spec == before


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", ""),
        ("PATCH", ""),
        ("DELETE", ""),
        ("POST", "/suspend"),
        ("POST", "/resume"),
        ("GET", "/keys"),
        ("POST", "/keys"),
        ("DELETE", "/keys/default"),
    ],
)
async def test_a_tenant_that_is_not_there_is_404_everywhere(admin: httpx.AsyncClient, method: str, path: str) -> None:
    answer = await admin.request(method, f"{TENANTS}/nobody{path}", content=b'{"name": "reader"}' if path else b"{}")
    assert (answer.status_code, answer.json()["error"]) == (404, "not_found")
