"""Creating, listing and revoking keys."""

from typing import Protocol

import httpx
import pytest

from loci_contract.keys import key_id, sha256
from loci_resources.base import ObjectMeta
from loci_resources.tenant import ApiKeyStatus, MemoryTenant, MemoryTenantSpec, MemoryTenantStatus

KEYS = "/admin/tenants/acme/keys"


class Store(Protocol):
    held: dict[str, MemoryTenant]


@pytest.fixture(autouse=True)
def tenant(store: Store) -> None:
    """A tenant as `kubectl apply` makes it: the operator generates its key."""
    status = MemoryTenantStatus(api_keys=(ApiKeyStatus(name="default", id="key_of_operator"),))
    spec = MemoryTenantSpec(tier="pro")
    store.held["acme"] = MemoryTenant(metadata=ObjectMeta(name="acme"), spec=spec, status=status)


async def test_a_key_is_shown_once_and_kept_as_its_hash(admin: httpx.AsyncClient, store: Store) -> None:
    answer = await admin.post(KEYS, json={"name": "reader", "scopes": ["read"]})
    made = answer.json()
    assert (answer.status_code, answer.headers["cache-control"]) == (201, "no-store")
    assert made["id"] == key_id(sha256(made["api_key"]))
    assert made["api_key"] not in store.held["acme"].model_dump_json()
    listed = await admin.get(KEYS)
    assert (made["api_key"] in listed.text, sha256(made["api_key"]) in listed.text) == (False, False)


async def test_a_first_own_key_leaves_the_generated_one_in_force(admin: httpx.AsyncClient, store: Store) -> None:
    await admin.post(KEYS, json={"name": "reader"})
    assert [(k.name, k.sha256 is None) for k in store.held["acme"].spec.issued_keys] == [
        ("default", True),
        ("reader", False),
    ]
    assert (await admin.get(KEYS)).json()["keys"][0]["id"] == "key_of_operator"


async def test_the_last_key_is_not_revoked(admin: httpx.AsyncClient, store: Store) -> None:
    assert (await admin.delete(f"{KEYS}/default")).status_code == 409
    await admin.post(KEYS, json={"name": "next"})
    assert (await admin.delete(f"{KEYS}/default")).status_code == 204
    assert [key.name for key in store.held["acme"].spec.keys_in_force] == ["next"]
    assert (await admin.delete(f"{KEYS}/default")).status_code == 404


async def test_a_tenant_never_has_more_keys_than_the_resource_can(admin: httpx.AsyncClient, store: Store) -> None:
    answers = [await admin.post(KEYS, json={"name": f"key-{number}"}) for number in range(33)]
    assert [answer.status_code for answer in answers] == [201] * 31 + [409] * 2
    MemoryTenantSpec.model_validate(store.held["acme"].spec.model_dump())
    assert "32" in answers[-1].json()["message"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": "Upper"}, "body.name"),
        ({"name": "a", "scopes": []}, "body.scopes"),
        ({"name": "a", "scopes": ["root"]}, "body.scopes.0"),
        ({"name": "a", "expires_at": "2030-01-01T00:00:00"}, "body.expires_at"),
        ({"name": "a", "sha256": "0" * 64}, "body.sha256"),
    ],
)
async def test_a_key_that_cannot_be_is_refused(admin: httpx.AsyncClient, body: dict[str, object], field: str) -> None:
    answer = await admin.post(KEYS, json=body)
    assert (answer.status_code, [f["field"] for f in answer.json()["fields"]]) == (422, [field])
