"""What the gate before Chroma lets pass."""

from __future__ import annotations

from uuid import UUID

import pytest

from loci_contract.chroma import API, COLLECTIONS, HEARTBEAT, PREFLIGHT, CollectionRecord
from loci_contract.keys import sha256
from loci_policy.chroma.decision import Call, Collections, refusal

OWN, FOREIGN = UUID(int=1), UUID(int=2)
KNOWN = Collections(
    [
        CollectionRecord(tenant="acme", collection=OWN, token_sha256=sha256("acme's")),
        CollectionRecord(tenant="other", collection=FOREIGN, token_sha256=sha256("other's")),
    ]
)
PROVISIONER = sha256("provisioner's")


ACME = "acme's"


def status(method: str, target: str, token: str | None = ACME, table: Collections = KNOWN) -> int:
    refused = refusal(Call(method, target, token), table, PROVISIONER)
    return refused.status if refused else 200


@pytest.mark.parametrize("operation", ["query", "get", "add", "upsert", "update", "delete"])
def test_a_tenant_uses_its_own_collection_and_no_other(operation: str) -> None:
    assert status("POST", f"{COLLECTIONS}/{OWN}/{operation}") == 200
    assert status("POST", f"{COLLECTIONS}/{FOREIGN}/{operation}") == 403
    assert status("GET", f"{COLLECTIONS}/{OWN}/{operation}") == 403
    assert status("POST", f"{COLLECTIONS}/{OWN}/{operation}", "guess") == 401
    assert status("POST", f"{COLLECTIONS}/{OWN}/{operation}", "provisioner's") == 403


def test_it_counts_and_asks_for_the_servers_limits() -> None:
    assert status("GET", f"{COLLECTIONS}/{OWN}/count") == 200
    assert status("GET", f"{COLLECTIONS}/{OWN}/count?read_level=index_and_wal") == 200
    assert status("GET", PREFLIGHT) == 200
    assert status("GET", HEARTBEAT, None) == 200


@pytest.mark.parametrize(
    "target",
    [
        f"{COLLECTIONS}/{OWN}",
        f"{COLLECTIONS}/{OWN}/fork",
        f"{COLLECTIONS}/{OWN}/search",
        f"{COLLECTIONS}/{OWN}/get/",
        f"{COLLECTIONS}/{OWN}/get\n",
        f"{COLLECTIONS}/{OWN}/get?collection={FOREIGN}",
        f"{COLLECTIONS}/{OWN}/../{FOREIGN}/get",
        f"{COLLECTIONS}/{OWN}%2f..%2f{FOREIGN}/get",
        f"{API}/reset",
        f"{API}/tenants",
        COLLECTIONS,
        "/",
        "",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS"])
def test_everything_else_is_refused(method: str, target: str) -> None:
    assert status(method, target) == 403
    assert status(method, target, None) == 401


def test_the_provisioner_deals_with_tenants_collections_by_name() -> None:
    assert status("POST", COLLECTIONS, "provisioner's") == 200
    assert status("DELETE", f"{COLLECTIONS}/tenant-acme", "provisioner's") == 200
    assert status("GET", f"{COLLECTIONS}/tenant-acme", "provisioner's") == 200
    assert status("DELETE", f"{COLLECTIONS}/{OWN}", "provisioner's") == 403
    assert status("GET", COLLECTIONS, "provisioner's") == 403


def test_a_removed_or_replaced_token_opens_nothing() -> None:
    table = Collections([CollectionRecord(tenant="acme", collection=OWN, token_sha256=sha256("first"))])
    table.put(CollectionRecord(tenant="acme", collection=OWN, token_sha256=sha256("second")))
    count = f"{COLLECTIONS}/{OWN}/count"
    assert (status("GET", count, "first", table), status("GET", count, "second", table)) == (401, 200)
    table.remove("acme")
    assert status("GET", count, "second", table) == 401
