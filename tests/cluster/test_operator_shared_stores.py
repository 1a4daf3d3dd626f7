"""Tenants of the shared profile on a real API server, PostgreSQL and Chroma behind its gate."""

from __future__ import annotations

import base64
import contextlib
import json
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from loci_contract.chroma import COLLECTIONS
from loci_dev.cluster.accounts import account
from loci_dev.cluster.controlplane import ControlPlane
from loci_dev.cluster.tenants import Tenants
from loci_dev.rigs.chroma_gate import PROVISIONER_TOKEN, ChromaGate, chroma_gate
from loci_dev.rigs.postgres import Cluster, postgres_cluster
from loci_dev.rigs.processes import wait_until

SHARED = {"profile": "shared"}


@dataclass
class Stores:
    """The running stores; PostgreSQL can be taken away and brought back."""

    postgres: Cluster
    gate: ChromaGate
    running: contextlib.ExitStack

    def stop_postgres(self) -> None:
        """Stop the server."""
        self.running.close()

    def start_postgres(self) -> None:
        """Start it on the same data."""
        self.running.enter_context(self.postgres.running())


@pytest.fixture(scope="module")
def stores(plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stores]:
    folder, kubeconfig = tmp_path_factory.mktemp("gate"), account(plane, "chroma")
    with postgres_cluster() as cluster, chroma_gate(folder, kubeconfig) as gate, contextlib.ExitStack() as running:
        made = Stores(cluster, gate, running)
        made.start_postgres()
        cluster.execute("CREATE DATABASE loci")
        yield made


def settings_of(stores: Stores) -> dict[str, str]:
    return {
        "LOCI_POSTGRES_ADMIN_DSN": stores.postgres.dsn(database="loci"),
        "LOCI_CHROMA_URL": stores.gate.url,
        "LOCI_CHROMA_PROVISIONER_TOKEN": PROVISIONER_TOKEN,
        "LOCI_POSTGRES_EGRESS": json.dumps([{"ports": [{"port": 5432, "protocol": "TCP"}]}]),
    }


@pytest.fixture(scope="module")
def operator(start_operator: Any, stores: Stores) -> Iterator[Path]:
    made: AbstractContextManager[Path] = start_operator(**settings_of(stores))
    with made as log:
        yield log


@dataclass
class Access:
    """A tenant's credentials, as its pod has them."""

    dsn: str
    token: str
    collection: str


def access(tenants: Tenants, name: str) -> Access:
    tenants.settled(name)
    data = tenants.get("secret", "loci-stores", "-n", f"loci-{name}")["data"]
    pod = tenants.get("deployment", "loci-dataplane", "-n", f"loci-{name}")["spec"]["template"]["spec"]
    environment = {entry["name"]: entry["value"] for entry in pod["containers"][0]["env"]}
    dsn, token = (base64.b64decode(data[key]).decode() for key in ("postgres-dsn", "chroma-token"))
    return Access(dsn, token, environment["LOCI_CHROMA_COLLECTION"])


def count(stores: Stores, token: str, collection: str) -> int:
    url = f"{stores.gate.url}{COLLECTIONS}/{collection}/count"
    return httpx.get(url, headers={"authorization": f"Bearer {token}"}).status_code


def log_of(log: Path) -> str:
    return log.read_text()


async def value(dsn: str, query: str) -> Any:
    connection = await asyncpg.connect(dsn, timeout=10)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


@pytest.mark.invariant(1)
async def test_a_tenants_credentials_open_its_own_shares_and_no_others(
    tenants: Tenants, operator: Path, stores: Stores
) -> None:
    for name in ("shared-one", "shared-two"):
        tenants.apply(name, storage=SHARED)
    one, two = access(tenants, "shared-one"), access(tenants, "shared-two")
    assert tenants.condition("shared-one", "StoresReady")["status"] == "True"
    assert "StatefulSet/loci-dataplane" not in tenants.names("shared-one")
    assert await value(one.dsn, "SELECT count(*) FROM tenant_shared_one.memory") == 0
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await value(one.dsn, "SELECT count(*) FROM tenant_shared_two.memory")
    wait_until(lambda: count(stores, one.token, one.collection) == 200, "the gate knows the collection")
    assert count(stores, one.token, two.collection) == 403
    told = log_of(operator) + str(tenants.status("shared-one"))
    assert all(secret not in told for secret in (one.token, one.dsn, two.token, two.dsn))


@pytest.mark.usefixtures("operator")
@pytest.mark.parametrize(("policy", "stays"), [("Delete", False), ("Retain", True)])
def test_a_deleted_tenants_data_goes_or_stays_as_its_policy_says(
    tenants: Tenants, stores: Stores, policy: str, *, stays: bool
) -> None:
    name = f"leaving-{policy.lower()}"
    tenants.apply(name, storage=SHARED, deletionPolicy=policy)
    held = access(tenants, name)
    tenants.plane.kubectl("delete", "mt", name, "--timeout=30s")
    assert has_schema(stores, name) is stays
    found = httpx.get(f"{stores.gate.server.url}{COLLECTIONS}/tenant-{name}")
    assert found.is_success is stays
    wait_until(lambda: count(stores, held.token, held.collection) != 200, "the token opens nothing")


def has_schema(stores: Stores, name: str) -> bool:
    schema = f"tenant_{name.replace('-', '_')}"
    try:
        stores.postgres.execute(f"DO $$ BEGIN ASSERT to_regnamespace('{schema}') IS NOT NULL; END $$", database="loci")
    except Exception:  # noqa: BLE001 - psql says no more than that it failed
        return False
    return True


@pytest.mark.usefixtures("operator")
@pytest.mark.invariant(1)
def test_a_successor_of_the_same_name_takes_over_retained_data_only_when_told_to(
    tenants: Tenants, stores: Stores
) -> None:
    name, plane = "heir", tenants.plane
    tenants.apply(name, storage=SHARED)
    access(tenants, name)
    plane.kubectl("delete", "mt", name, "--timeout=30s")
    plane.kubectl("annotate", "namespace", f"loci-{name}", "loci.dev/allow-delete=true")
    plane.kubectl("delete", "namespace", f"loci-{name}", "--timeout=60s")
    tenants.apply(name, storage=SHARED, deletionPolicy="Delete")
    wait_until(lambda: tenants.condition(name, "StoresReady").get("reason") == "RetainedDataExists", "it is refused")
    # Deleting the one that was refused must not remove what is not its own.
    plane.kubectl("delete", "mt", name, "--timeout=30s")
    assert has_schema(stores, name)
    tenants.apply(name, {"loci.dev/adopt": "true"}, storage=SHARED, deletionPolicy="Delete")
    access(tenants, name)


@pytest.mark.usefixtures("operator")
def test_data_is_not_left_behind_by_a_change_of_profile(tenants: Tenants) -> None:
    tier = tenants.get("mtier", "pro")
    spec = {**tier["spec"], "storageProfile": "shared"}
    document = {"apiVersion": "loci.dev/v1alpha1", "kind": "MemoryTier", "metadata": {"name": "team"}, "spec": spec}
    tenants.plane.kubectl("apply", "-f", "-", stdin=json.dumps(document))
    tenants.apply("staying")
    tenants.settled("staying")
    tenants.apply("staying", tier="team")
    wait_until(lambda: tenants.condition("staying", "StoresReady").get("reason") == "ProfileChangeRefused", "refused")
    assert "records from embedded to shared" in tenants.condition("staying", "Ready")["message"]
    assert "StatefulSet/loci-dataplane" in tenants.names("staying")


@pytest.mark.usefixtures("operator")
def test_a_store_that_is_away_delays_its_own_tenants_alone(tenants: Tenants, stores: Stores) -> None:
    tenants.apply("served", storage=SHARED)
    tenants.apply("going", storage=SHARED, deletionPolicy="Delete")
    for name in ("served", "going"):
        tenants.settled(name)
    stores.stop_postgres()
    try:
        tenants.apply("waiting", storage=SHARED)
        wait_until(lambda: tenants.condition("waiting", "StoresReady").get("reason") == "StoreAway", "it says so")
        assert "PostgreSQL is unavailable" in tenants.condition("waiting", "Ready")["message"]
        tenants.plane.kubectl("delete", "mt", "going", "--wait=false")
        wait_until(lambda: "PostgreSQL" in tenants.condition("going", "Deleting").get("message", ""), "it says so")
        tenants.apply("embedded-meanwhile")
        tenants.settled("embedded-meanwhile")
        # What was provisioned before still changes.
        tenants.apply("served", storage=SHARED, suspend=True)
        wait_until(lambda: tenants.record("served")["state"] == "suspended", "the ingress refuses")
    finally:
        stores.start_postgres()
    tenants.settled("waiting")
    wait_until(lambda: not tenants.exists("mt", "going"), "the deleted tenant is gone", 90)
    assert not has_schema(stores, "going")
