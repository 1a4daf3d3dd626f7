"""Tenants of the shared profile in real pods: each sees its own share of PostgreSQL and Chroma and no other."""

from __future__ import annotations

from pathlib import Path

import pytest

from loci_dev.cluster.client import Cluster
from loci_dev.cluster.install import NAMESPACE
from loci_dev.rigs.processes import wait_until

EXAMPLE = Path(__file__).parents[2] / "examples" / "tenant-shared.yaml"
TOLD = "grace: my flight to Lisbon leaves on Friday at nine."
QUESTION = {"query": "When does Grace fly?", "limit": 5}


@pytest.fixture(scope="module")
def team(cluster: Cluster) -> str:
    """The API key of a ready tenant of the shared profile."""
    cluster.kubectl("apply", "-f", str(EXAMPLE))
    cluster.kubectl("wait", "mt/team", "--for=condition=Ready", "--timeout=120s")
    return cluster.secret("loci-team", "loci-api-keys", "default")


@pytest.fixture(scope="module")
def other(cluster: Cluster) -> str:
    """The API key of another one."""
    text = EXAMPLE.read_text().replace("name: team", "name: other-team")
    cluster.kubectl("apply", "-f", "-", stdin=text)
    cluster.kubectl("wait", "mt/other-team", "--for=condition=Ready", "--timeout=120s")
    return cluster.secret("loci-other-team", "loci-api-keys", "default")


def found(cluster: Cluster, key: str) -> list[str]:
    with cluster.http(key) as client:
        results = client.post("/v1/memories/search", json=QUESTION).json()["results"]
    return [result["content"] for result in results]


def test_a_memory_in_shared_stores_is_found_through_envoy_and_outlives_the_pod(cluster: Cluster, team: str) -> None:
    with cluster.http(team) as client:
        assert client.post("/v1/memories", json={"content": TOLD}).status_code == 201
    assert found(cluster, team) == [TOLD]
    assert cluster.get("pvc", "-n", "loci-team")["items"] == []
    cluster.kubectl("delete", "pod", "-n", "loci-team", cluster.running_pod("loci-team"), "--wait=true")
    cluster.kubectl("wait", "mt/team", "--for=condition=Ready", "--timeout=120s")
    wait_until(lambda: found(cluster, team) == [TOLD], "the new pod finds it", 60)


@pytest.mark.invariant(1)
def test_psql_with_a_tenants_credentials_sees_its_own_schema_and_nothing_else(
    cluster: Cluster, team: str, other: str
) -> None:
    assert team
    with cluster.http(other) as client:
        assert client.get("/v1/memories").json()["memories"] == []
    dsn = cluster.secret("loci-team", "loci-stores", "postgres-dsn")

    def psql(query: str) -> str:
        command = ("psql", "--no-psqlrc", "--tuples-only", "--no-align", "--command", query, dsn)
        return cluster.kubectl("exec", "-n", NAMESPACE, "loci-postgres-0", "--", *command).strip()

    assert psql("SELECT content FROM tenant_team.memory") == TOLD
    for query in (
        "SELECT count(*) FROM tenant_other_team.memory",
        "SELECT nspname FROM pg_namespace",
        "SELECT rolname FROM pg_roles",
        "DROP SCHEMA tenant_other_team CASCADE",
        "SET ROLE tenant_other_team",
        "SET ROLE postgres",
    ):
        with pytest.raises(RuntimeError, match=r"permission denied|must be owner"):
            psql(query)


@pytest.mark.invariant(1)
def test_chroma_answers_through_its_gate_alone(cluster: Cluster, team: str, other: str) -> None:
    assert team
    assert other
    token = cluster.secret("loci-team", "loci-stores", "chroma-token")
    own, others = (collection(cluster, name) for name in ("team", "other-team"))
    ask = (
        "import sys, urllib.request as r, urllib.error as e\n"
        "token, host, *ids = sys.stdin.read().split()\n"
        "base = f'http://{host}/api/v2/tenants/default_tenant/databases/default_database'\n"
        "for id in ids:\n"
        "  q = r.Request(f'{base}/collections/{id}/count', headers={'authorization': f'Bearer {token}'})\n"
        "  try: print(r.urlopen(q, timeout=5).status)\n"
        "  except e.HTTPError as error: print(error.code)\n"
        "  except OSError: print('unreachable')\n"
    )

    def statuses(host: str) -> list[str]:
        pod = cluster.running_pod("loci-team")
        command = ("exec", "-i", "-n", "loci-team", pod, "--", "python3", "-c", ask)
        return cluster.kubectl(*command, stdin=f"{token} {host} {own} {others}").split()

    assert statuses(f"loci-chroma.{NAMESPACE}.svc:8000") == ["200", "403"]
    address = cluster.get("pod", "loci-chroma-0", "-n", NAMESPACE)["status"]["podIP"]
    assert statuses(f"{address}:8000") == ["200", "403"]
    assert statuses(f"{address}:8001") == ["unreachable", "unreachable"]


def collection(cluster: Cluster, tenant: str) -> str:
    deployment = cluster.get("deployment", "loci-dataplane", "-n", f"loci-{tenant}")
    container = deployment["spec"]["template"]["spec"]["containers"][0]
    found: str = {entry["name"]: entry["value"] for entry in container["env"]}["LOCI_CHROMA_COLLECTION"]
    return found


def test_a_deleted_tenant_leaves_nothing_in_the_stores(cluster: Cluster, other: str) -> None:
    assert other
    cluster.kubectl("delete", "mt", "other-team", "--wait=true", "--timeout=60s")
    query = "SELECT count(*) FROM pg_namespace WHERE nspname = 'tenant_other_team'"
    dsn = cluster.secret(NAMESPACE, "loci-postgres", "dsn")
    command = ("psql", "--no-psqlrc", "--tuples-only", "--no-align", "--command", query, dsn)
    assert cluster.kubectl("exec", "-n", NAMESPACE, "loci-postgres-0", "--", *command).strip() == "0"
