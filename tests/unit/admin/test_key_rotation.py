"""Rotating a key: the new secret is valid at once, the old one for the overlap, under the tenant's one bucket."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import httpx
import pytest

from loci_contract.keys import is_well_formed, sha256, tenant_of
from loci_resources.base import ObjectMeta
from loci_resources.tenant import ApiKey, MemoryTenant, MemoryTenantSpec

KEYS = "/admin/tenants/acme/keys"
OLD = "0" * 64


class Store(Protocol):
    held: dict[str, MemoryTenant]


def hold(store: Store, **spec: Any) -> None:
    held = MemoryTenantSpec(**{"tier": "pro", **spec})
    store.held["acme"] = MemoryTenant(metadata=ObjectMeta(name="acme"), spec=held)


def in_force(store: Store) -> dict[str, ApiKey]:
    return {key.name: key for key in store.held["acme"].spec.keys_in_force}


@pytest.mark.parametrize("place", ["api_keys", "issued_keys"])
async def test_both_secrets_are_valid_during_the_overlap(admin: httpx.AsyncClient, store: Store, place: str) -> None:
    hold(store, **{place: (ApiKey(name="app", sha256=OLD, scopes=("read",)),)})
    before = datetime.now(UTC)
    answer = await admin.post(f"{KEYS}/app/rotate", json={"overlap": "24h"})
    made, keys = answer.json(), in_force(store)
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    assert is_well_formed(made["api_key"])
    assert tenant_of(made["api_key"]) == "acme"
    assert (keys["app"].sha256, keys["app"].scopes, keys["app"].expires_at) == (
        sha256(made["api_key"]),
        ("read",),
        None,
    )
    old = keys["app-rotated-1"]
    assert (old.sha256, old.scopes) == (OLD, ("read",))
    assert old.expires_at is not None
    assert timedelta(0) <= old.expires_at - before - timedelta(hours=24) < timedelta(minutes=1)
    assert made["previous"]["name"] == "app-rotated-1"
    assert made["api_key"] not in store.held["acme"].model_dump_json()


async def test_without_overlap_the_old_secret_ends_at_once(admin: httpx.AsyncClient, store: Store) -> None:
    hold(store, api_keys=(ApiKey(name="app", sha256=OLD),))
    answer = await admin.post(f"{KEYS}/app/rotate", json={"overlap": "0s"})
    assert answer.json()["previous"] is None
    assert [key.sha256 for key in in_force(store).values()] == [sha256(answer.json()["api_key"])]


async def test_an_overlap_of_a_day_is_the_default_and_no_body_is_needed(admin: httpx.AsyncClient, store: Store) -> None:
    hold(store, api_keys=(ApiKey(name="app", sha256=OLD),))
    assert (await admin.post(f"{KEYS}/app/rotate")).status_code == 200
    ends = in_force(store)["app-rotated-1"].expires_at
    assert ends is not None
    assert timedelta(hours=23) < ends - datetime.now(UTC) < timedelta(hours=25)


async def test_rotations_in_a_row_keep_every_secret_that_is_still_valid(admin: httpx.AsyncClient, store: Store) -> None:
    hold(store, api_keys=(ApiKey(name="app", sha256=OLD),))
    for _ in range(3):
        await admin.post(f"{KEYS}/app/rotate", json={"overlap": "1h"})
    assert list(in_force(store)) == ["app", "app-rotated-1", "app-rotated-2", "app-rotated-3"]
    assert in_force(store)["app-rotated-1"].sha256 == OLD


async def test_replaced_keys_that_have_expired_make_room(admin: httpx.AsyncClient, store: Store) -> None:
    past = datetime.now(UTC) - timedelta(seconds=1)
    over = tuple(ApiKey(name=f"app-rotated-{n}", sha256=f"{n:064x}", expires_at=past) for n in range(1, 32))
    hold(store, api_keys=(ApiKey(name="app", sha256=OLD),), issued_keys=over)
    assert (await admin.post(f"{KEYS}/app/rotate")).status_code == 200
    assert list(in_force(store)) == ["app", "app-rotated-1"]


async def test_an_old_key_never_lives_longer_than_it_would_have(admin: httpx.AsyncClient, store: Store) -> None:
    soon = datetime.now(UTC) + timedelta(minutes=5)
    hold(store, api_keys=(ApiKey(name="app", sha256=OLD, expires_at=soon),))
    await admin.post(f"{KEYS}/app/rotate", json={"overlap": "24h"})
    assert {key.expires_at for key in in_force(store).values()} == {soon}


async def test_a_full_tenant_rotates_without_overlap_only(admin: httpx.AsyncClient, store: Store) -> None:
    hold(store, issued_keys=tuple(ApiKey(name=f"key-{n}", sha256=f"{n:064x}") for n in range(32)))
    assert (await admin.post(f"{KEYS}/key-1/rotate")).status_code == 409
    assert (await admin.post(f"{KEYS}/key-1/rotate", json={"overlap": "0s"})).status_code == 200


async def test_the_name_of_an_old_key_fits(admin: httpx.AsyncClient, store: Store) -> None:
    hold(store, api_keys=(ApiKey(name="a" * 63, sha256=OLD),))
    await admin.post(f"{KEYS}/{'a' * 63}/rotate")
    MemoryTenantSpec.model_validate(store.held["acme"].spec.model_dump())


@pytest.mark.parametrize(
    ("name", "status"), [("default", 409), ("nobody", 404), ("..", 404)], ids=["generated", "unknown", "path"]
)
async def test_a_key_that_cannot_be_rotated_says_why(
    admin: httpx.AsyncClient, store: Store, name: str, status: int
) -> None:
    hold(store)
    assert (await admin.post(f"{KEYS}/{name}/rotate")).status_code == status
    assert (await admin.post("/admin/tenants/other/keys/default/rotate")).status_code == 404


async def test_an_expired_key_needs_a_new_expiry_time(admin: httpx.AsyncClient, store: Store) -> None:
    hold(store, api_keys=(ApiKey(name="app", sha256=OLD, expires_at=datetime(2020, 1, 1, tzinfo=UTC)),))
    answer = await admin.post(f"{KEYS}/app/rotate")
    assert (answer.status_code, answer.json()["fields"][0]["field"]) == (422, "body.expires_at")
    renewed = await admin.post(f"{KEYS}/app/rotate", json={"expires_at": "2100-01-01T00:00:00Z"})
    assert (renewed.status_code, renewed.json()["previous"]) == (200, None)


@pytest.mark.parametrize("overlap", ["", "24", "h", "-1h", "1.5h", "91d", "24h ", 3600, "1w", "9999999d"])
async def test_an_overlap_that_cannot_be_is_refused(admin: httpx.AsyncClient, store: Store, overlap: object) -> None:
    hold(store, api_keys=(ApiKey(name="app", sha256=OLD),))
    answer = await admin.post(f"{KEYS}/app/rotate", json={"overlap": overlap})
    assert (answer.status_code, [f["field"] for f in answer.json()["fields"]]) == (422, ["body.overlap"])
