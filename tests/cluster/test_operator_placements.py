"""Stores of a tenant's own, external ones and mixtures on a real API server and PostgreSQL; there are no pods here."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

import asyncpg
import pytest

from loci_dev.cluster.tenants import Tenants
from loci_dev.rigs.contexts import DEDICATED
from loci_dev.rigs.postgres import Postgres, postgres
from loci_dev.rigs.processes import wait_until

OWN = {"profile": "dedicated"}
STORES = {"loci-postgres", "loci-chroma", "loci-neo4j", "loci-redis"}


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    with postgres() as server:
        server.cluster.execute("CREATE DATABASE loci")
        yield server


@pytest.fixture(scope="module")
def settings(server: Postgres) -> dict[str, str]:
    rule = [{"to": [{"ipBlock": {"cidr": "192.0.2.1/32"}}], "ports": [{"port": 5432, "protocol": "TCP"}]}]
    return {
        "LOCI_POSTGRES_ADMIN_DSN": server.dsn(database="loci"),
        "LOCI_POSTGRES_EGRESS": json.dumps(rule),
        "LOCI_DEDICATED": DEDICATED.model_dump_json(by_alias=True),
    }


@pytest.fixture(scope="module")
def operator(start_operator: Any, settings: dict[str, str]) -> Iterator[Path]:
    with start_operator(**settings) as log:
        yield log


def secret(tenants: Tenants, tenant: str, name: str) -> dict[str, str]:
    data = tenants.get("secret", name, "-n", f"loci-{tenant}").get("data", {})
    return {key: base64.b64decode(text).decode() for key, text in data.items()}


def sets(tenants: Tenants, tenant: str) -> set[str]:
    return {c["metadata"]["name"] for c in tenants.children(tenant) if c["kind"] == "StatefulSet"}


def environment(tenants: Tenants, tenant: str, kind: str) -> dict[str, str]:
    workload = tenants.get(kind, "loci-dataplane", "-n", f"loci-{tenant}")
    return {e["name"]: e["value"] for e in workload["spec"]["template"]["spec"]["containers"][0]["env"]}


def give(tenants: Tenants, name: str, tenant: str | None, **entries: str) -> None:
    """Make a Secret in Loci's namespace, labelled for a tenant."""
    labels = {"loci.dev/tenant": tenant} if tenant else {}
    metadata = {"name": name, "namespace": "loci-system", "labels": labels}
    document = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": entries}
    tenants.plane.kubectl("apply", "-f", "-", stdin=json.dumps(document))


def refusal(tenants: Tenants, name: str, reason: str, type_: str = "StoresReady") -> str:
    wait_until(lambda: tenants.condition(name, type_).get("reason") == reason, f"{name}: {reason}", 90)
    message: str = tenants.condition(name, type_)["message"]
    return message


def test_a_tenants_own_stores_are_made_and_it_says_which_one_it_waits_for(tenants: Tenants, operator: Path) -> None:
    tenants.apply("owner", tier="enterprise", storage=OWN)
    tenants.settled("owner")
    assert sets(tenants, "owner") == STORES
    assert "finalizers" not in tenants.get("mt", "owner")["metadata"]
    assert refusal(tenants, "owner", "StoreStarting").startswith("PostgreSQL is not ready")
    held = secret(tenants, "owner", "loci-stores")
    told = operator.read_text() + str(tenants.get("mt", "owner")) + str(tenants.get("events.events.k8s.io"))
    assert [name for name, text in held.items() if text in told] == []


def test_credentials_are_generated_once(
    tenants: Tenants, operator: Path, start_operator: Any, settings: dict[str, str]
) -> None:
    assert operator.exists()
    tenants.apply("keeper", tier="enterprise", storage=OWN)
    tenants.settled("keeper")

    def held() -> dict[str, dict[str, str]]:
        return {name: secret(tenants, "keeper", name) for name in ("loci-stores", *STORES)}

    before = held()
    tenants.plane.kubectl("label", "secret", "loci-stores", "-n", "loci-keeper", "touched=yes")
    tenants.plane.kubectl("delete", "secret", "loci-postgres", "-n", "loci-keeper")
    wait_until(lambda: tenants.exists("secret", "loci-postgres", "-n", "loci-keeper"), "it is restored")
    assert held() == before
    with start_operator(**settings):
        tenants.apply("keeper", tier="enterprise", storage=OWN, suspend=True)
        wait_until(lambda: tenants.status("keeper")["phase"] == "Suspended", "it is reconciled")
        assert held() == before


@pytest.mark.usefixtures("operator")
def test_stores_of_several_profiles_go_together(tenants: Tenants) -> None:
    tenants.apply("mixed", storage={"records": "shared", "graph": "neo4j"})
    tenants.settled("mixed")
    assert sets(tenants, "mixed") == {"loci-dataplane", "loci-neo4j"}
    told = environment(tenants, "mixed", "statefulset")
    assert {"LOCI_POSTGRES_DSN_FILE", "LOCI_NEO4J_URL"} <= told.keys()
    assert "LOCI_CHROMA_URL" not in told
    policy = tenants.get("networkpolicy", "loci-dataplane", "-n", "loci-mixed")["spec"]["egress"]
    assert [port["port"] for rule in policy for port in rule["ports"]] == [53, 53, 8081, 5432, 7687]


@pytest.mark.usefixtures("operator")
def test_more_than_one_pod_needs_its_data_outside(tenants: Tenants) -> None:
    tenants.apply("many", replicas=3)
    assert "there can be only one" in refusal(tenants, "many", "ReplicasNotPossible", "DataPlaneReady")
    tenants.apply("several", tier="enterprise", storage=OWN, replicas=3)
    tenants.settled("several")
    assert tenants.get("deployment", "loci-dataplane", "-n", "loci-several")["spec"]["replicas"] == 3


@pytest.mark.usefixtures("operator")
@pytest.mark.parametrize(
    ("storage", "lost"),
    [
        ({"records": "dedicated"}, "records from embedded to dedicated"),
        ({"vectors": "dedicated"}, "vectors from embedded to dedicated"),
        ({"graph": "neo4j"}, "graph from records to neo4j"),
        ({"profile": "dedicated", "records": "embedded"}, "vectors from embedded to dedicated; graph from records"),
    ],
    ids=["records", "vectors", "graph", "profile"],
)
def test_a_change_that_would_lose_data_is_refused(tenants: Tenants, storage: dict[str, str], lost: str) -> None:
    tenants.apply("staying")
    tenants.settled("staying")
    tenants.apply("staying", storage={**storage, "cache": "embedded"})
    assert lost in refusal(tenants, "staying", "ProfileChangeRefused")
    assert sets(tenants, "staying") == {"loci-dataplane"}
    # Saying what is in force already is no change.
    tenants.apply("staying", storage={"profile": "embedded", "graph": "records"})
    tenants.settled("staying")


@pytest.mark.usefixtures("operator")
def test_a_cache_may_change_since_it_holds_no_data(tenants: Tenants) -> None:
    tenants.apply("cached", storage={"cache": "dedicated"})
    tenants.settled("cached")
    assert sets(tenants, "cached") == {"loci-dataplane", "loci-redis"}
    tenants.apply("cached", storage={"cache": "embedded"})
    wait_until(lambda: sets(tenants, "cached") == {"loci-dataplane"}, "its Redis is gone")


@pytest.mark.usefixtures("operator")
@pytest.mark.invariant(1)
def test_an_external_database_is_used_by_a_secret_that_is_meant_for_the_tenant(
    tenants: Tenants, server: Postgres
) -> None:
    external = {"postgres": {"secretName": "their-database", "cidrs": ["192.0.2.0/24"]}}
    tenants.apply("outside", storage={"records": "external", "external": external}, deletionPolicy="Delete")
    assert "label loci.dev/tenant=outside" in refusal(tenants, "outside", "SecretMissing")
    server.cluster.execute("CREATE DATABASE theirs")
    dsn = server.dsn(database="theirs")
    for tenant in (None, "another"):
        give(tenants, "their-database", tenant, dsn=dsn)
        tenants.apply(
            "outside",
            {"tried": str(tenant)},
            storage={"records": "external", "external": external},
            deletionPolicy="Delete",
        )
        refusal(tenants, "outside", "SecretMissing")
        assert not tenants.exists("namespace", "loci-outside")
    give(tenants, "their-database", "outside", dsn=dsn)
    wait_until(lambda: tenants.exists("statefulset", "loci-dataplane", "-n", "loci-outside"), "it is made", 90)
    held = secret(tenants, "outside", "loci-stores")["postgres-dsn"]
    assert urlsplit(held).username == "tenant_outside"
    server.cluster.execute(f"\\c {held}\nSELECT content FROM tenant_outside.memory", database="theirs")
    policy = tenants.get("networkpolicy", "loci-dataplane", "-n", "loci-outside")["spec"]["egress"][-1]
    assert policy["to"] == [{"ipBlock": {"cidr": "192.0.2.0/24"}}]
    assert [port["port"] for port in policy["ports"]] == [server.cluster.port]
    tenants.plane.kubectl("delete", "mt", "outside", "--timeout=60s")
    with pytest.raises(Exception, match="psql"):
        server.cluster.execute("SELECT 'tenant_outside'::regnamespace", database="theirs")


@pytest.mark.usefixtures("operator")
async def test_a_schema_that_others_made_is_checked_and_never_changed(tenants: Tenants, server: Postgres) -> None:
    tenants.apply("source", storage={"records": "shared"})
    tenants.settled("source")
    held = secret(tenants, "source", "loci-stores")["postgres-dsn"]
    address = urlsplit(held)
    host = f"{address.hostname}:{address.port}"
    wrong = urlunsplit(address._replace(netloc=f"tenant_given:{quote('no password')}@{host}"))
    give(tenants, "given-database", "given", dsn=wrong)
    external = {"postgres": {"secretName": "given-database"}}
    tenants.apply("given", storage={"records": "external", "external": external}, deletionPolicy="Delete")
    assert "refuses the tenant's login" in refusal(tenants, "given", "StoreRefuses")
    server.cluster.execute(
        "CREATE ROLE tenant_given LOGIN PASSWORD 'a-password'; GRANT CONNECT ON DATABASE loci TO tenant_given;"
        "CREATE SCHEMA tenant_given; GRANT USAGE ON SCHEMA tenant_given TO tenant_given;"
        "CREATE TABLE tenant_given.schema_version AS SELECT version FROM tenant_source.schema_version;"
        "GRANT SELECT ON tenant_given.schema_version TO tenant_given",
        database="loci",
    )
    right = urlunsplit(address._replace(netloc=f"tenant_given:a-password@{host}"))
    give(tenants, "given-database", "given", dsn=right)
    wait_until(lambda: tenants.exists("statefulset", "loci-dataplane", "-n", "loci-given"), "it is made", 90)
    assert secret(tenants, "given", "loci-stores")["postgres-dsn"] == right
    tenants.plane.kubectl("delete", "mt", "given", "--timeout=60s")
    connection = await asyncpg.connect(right)
    assert await connection.fetchval("SELECT count(*) FROM tenant_given.schema_version") == 1
    await connection.close()
