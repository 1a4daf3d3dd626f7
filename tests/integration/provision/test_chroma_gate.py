"""What one tenant's token could do to others on a shared Chroma server, through the gate and with it taken away."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import httpx
import numpy as np
import pytest

from loci_contract.chroma import API, COLLECTIONS, HEARTBEAT, SPACE
from loci_dataplane.stores.chroma.server import ChromaServer, server_vectors
from loci_dataplane.stores.errors import StoreUnavailableError
from loci_dev.rigs.chroma_gate import PROVISIONER_TOKEN, ChromaGate, chroma_gate

SECRET = "the victim's memory"
EAST = np.eye(1, 3, dtype=np.float32)
ENTRY = {"ids": ["mem_1"], "embeddings": [[1.0, 0.0, 0.0]], "documents": [SECRET], "metadatas": [None], "uris": None}
PLANTED = {
    "ids": ["mem_2"],
    "embeddings": [[0.0, 1.0, 0.0]],
    "documents": ["planted"],
    "metadatas": [None],
    "uris": None,
}


@dataclass
class Shared:
    """A server with two tenants' collections behind the gate."""

    gate: ChromaGate
    own: UUID
    token: str

    def victim(self) -> tuple[str, UUID]:
        """Make another tenant's collection with one entry; return its name and id."""
        name = f"tenant-victim-{uuid4().hex[:8]}"
        made = make(self.gate.server.url, name)
        httpx.post(f"{self.gate.server.url}{COLLECTIONS}/{made}/add", json=ENTRY).raise_for_status()
        return name, made

    def through(self, token: str | None) -> httpx.Client:
        """A client of the gate."""
        headers = {"authorization": f"Bearer {token}"} if token else {}
        return httpx.Client(base_url=self.gate.url, headers=headers, timeout=10)

    def without_gate(self) -> httpx.Client:
        """A client of the bare server."""
        return httpx.Client(base_url=self.gate.server.url, timeout=10)


def make(url: str, name: str) -> UUID:
    body = {"name": name, "configuration": SPACE, "get_or_create": True}
    return UUID(httpx.post(f"{url}{COLLECTIONS}", json=body).raise_for_status().json()["id"])


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shared]:
    with chroma_gate(tmp_path_factory.mktemp("gate")) as gate:
        own = make(gate.server.url, "tenant-acme")
        yield Shared(gate, own, gate.admit("acme", own))


def call(method: str, path: str, **more: Any) -> Callable[[httpx.Client, str, UUID], httpx.Response]:
    def attack(client: httpx.Client, name: str, victim: UUID) -> httpx.Response:
        return client.request(method, path.format(name=name, id=victim, upper=str(victim).upper()), **more)

    return attack


QUERY = {"query_embeddings": [[1.0, 0.0, 0.0]], "n_results": 5, "include": ["documents"]}
ATTACKS = {
    "query": call("POST", COLLECTIONS + "/{id}/query", json=QUERY),
    "get": call("POST", COLLECTIONS + "/{id}/get", json={"include": ["documents"]}),
    "get by another spelling of the id": call("POST", COLLECTIONS + "/{upper}/get", json={"include": ["documents"]}),
    "count": call("GET", COLLECTIONS + "/{id}/count"),
    "add": call("POST", COLLECTIONS + "/{id}/add", json=PLANTED),
    "upsert": call("POST", COLLECTIONS + "/{id}/upsert", json=ENTRY),
    "update": call("POST", COLLECTIONS + "/{id}/update", json=ENTRY),
    "delete entries": call("POST", COLLECTIONS + "/{id}/delete", json={"ids": ["mem_1"]}),
    "drop the collection": call("DELETE", COLLECTIONS + "/{name}"),
    "rename the collection": call("PUT", COLLECTIONS + "/{id}", json={"new_name": "stolen"}),
    "find it by name": call("GET", COLLECTIONS + "/{name}"),
    "list collections": call("GET", COLLECTIONS),
    "count collections": call("GET", COLLECTIONS + "_count"),
    "create a collection": call("POST", COLLECTIONS, json={"name": "more", "get_or_create": True}),
    "create a database": call("POST", API + "/tenants/default_tenant/databases", json={"name": f"db-{uuid4().hex}"}),
    "create a Chroma tenant": call("POST", API + "/tenants", json={"name": f"tenant-{uuid4().hex}"}),
    "list databases": call("GET", API + "/tenants/default_tenant/databases"),
    "who am I": call("GET", API + "/auth/identity"),
    "version": call("GET", API + "/version"),
}


@pytest.mark.invariant(1)
@pytest.mark.parametrize("attack", ATTACKS)
def test_the_gate_refuses_what_the_bare_server_would_do(shared: Shared, attack: str) -> None:
    name, victim = shared.victim()
    with shared.through(shared.token) as gated, shared.without_gate() as bare:
        refused = ATTACKS[attack](gated, name, victim)
        assert refused.status_code == 403, refused.text
        assert SECRET not in refused.text
        assert str(victim) not in refused.text
        held = bare.post(f"{COLLECTIONS}/{victim}/get", json={"include": ["documents"]}).json()
        assert (held["ids"], held["documents"]) == (["mem_1"], [SECRET])
        assert ATTACKS[attack](bare, name, victim).is_success, "no attack: the bare server refuses it too"


@pytest.mark.invariant(1)
@pytest.mark.parametrize(
    "path",
    [
        COLLECTIONS + "/{own}/../{id}/get",
        COLLECTIONS + "/{own}/%2e%2e/{id}/get",
        COLLECTIONS + "/{own}%2f..%2f{id}/get",
        COLLECTIONS + "//{id}/get",
        COLLECTIONS + "/{id}/get?collection_id={own}",
        COLLECTIONS + "/{own}/get/../../{id}/get",
        COLLECTIONS + "/{own}\\..\\{id}/get",
        "/x/.." + COLLECTIONS + "/{id}/get",
        "/API/v2" + COLLECTIONS.removeprefix(API) + "/{id}/get",
    ],
)
def test_no_spelling_of_a_path_leads_to_another_collection(shared: Shared, path: str) -> None:
    _, victim = shared.victim()
    target = path.format(own=shared.own, id=victim).encode()
    url = httpx.URL(shared.gate.url).copy_with(raw_path=target)
    headers = {"authorization": f"Bearer {shared.token}"}
    refused = httpx.post(url, headers=headers, json={"include": ["documents"]})
    assert refused.status_code in {400, 403, 404}
    assert SECRET not in refused.text


@pytest.mark.parametrize("token", [None, "guess", "\u00e4"])
def test_without_a_known_token_nothing_passes(shared: Shared, token: str | None) -> None:
    headers = {} if token is None else {b"authorization": f"Bearer {token}".encode("latin-1")}
    for path in (f"{COLLECTIONS}/{shared.own}/count", COLLECTIONS, f"{API}/version", "/", "/docs", "/openapi.json"):
        assert httpx.get(f"{shared.gate.url}{path}", headers=headers).status_code == 401
    assert httpx.get(f"{shared.gate.url}{HEARTBEAT}").is_success


def test_the_provisioner_makes_and_drops_collections_and_reads_none(shared: Shared) -> None:
    name = f"tenant-{uuid4().hex[:8]}"
    with shared.through(PROVISIONER_TOKEN) as client:
        made = client.post(COLLECTIONS, json={"name": name, "configuration": SPACE, "get_or_create": True}).json()["id"]
        assert client.get(f"{COLLECTIONS}/{name}").json()["id"] == made
        for path in ("get", "query", "add", "delete"):
            assert client.post(f"{COLLECTIONS}/{made}/{path}", json={}).status_code == 403
        assert client.get(f"{COLLECTIONS}/{made}/count").status_code == 403
        assert client.get(COLLECTIONS).status_code == 403
        assert client.delete(f"{COLLECTIONS}/{name}").is_success
        assert client.get(f"{COLLECTIONS}/{name}").status_code == 404


async def test_the_data_planes_own_client_works_through_the_gate(shared: Shared) -> None:
    reach = ChromaServer(shared.gate.url, shared.own, shared.token)
    async with server_vectors(reach) as vectors:
        await vectors.replace({"mem_1": EAST, "mem_2": -EAST})
        assert [hit.memory_id for hit in await vectors.search(EAST[0], 1, None)] == ["mem_1"]
        await vectors.delete(["mem_1"])
        assert await vectors.count() == 1
        await vectors.delete(["mem_2"])


async def test_a_replaced_token_opens_nothing_any_more(shared: Shared) -> None:
    _, other = shared.victim()
    first = shared.gate.admit("rotating", other)
    second = shared.gate.admit("rotating", other)
    async with server_vectors(ChromaServer(shared.gate.url, other, second)) as vectors:
        assert await vectors.count() == 1
    async with server_vectors(ChromaServer(shared.gate.url, other, first)) as vectors:
        with pytest.raises(StoreUnavailableError):
            await vectors.count()
