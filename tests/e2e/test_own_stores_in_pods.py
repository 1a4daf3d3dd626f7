"""A tenant of the dedicated profile in real pods: its own PostgreSQL, Chroma, Neo4j and Redis, and nobody else's."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from loci_dev.cluster.client import Cluster
from loci_dev.cluster.install import NAMESPACE
from loci_dev.rigs.processes import wait_until

EXAMPLES = Path(__file__).parents[2] / "examples"
HOME = "loci-initech"
TOLD = "I moved to Lisbon last spring."
QUESTION = {"query": "Where does Grace live?", "limit": 5}
STORES = ("postgres", "chroma", "neo4j", "redis")
# Reads one address or credential a line, so that none is on a command line.
BOLT = """
import sys, neo4j
url, password = sys.stdin.read().split()
try:
    with neo4j.GraphDatabase.driver(url, auth=("neo4j", password), connection_timeout=10) as driver:
        rows = driver.execute_query("MATCH (n) UNWIND labels(n) AS label RETURN DISTINCT label").records
        print(*(row["label"] for row in rows))
except neo4j.exceptions.AuthError:
    print("refused")
"""
REDIS = """
import sys, redis
client = redis.Redis.from_url(sys.stdin.read().strip(), socket_timeout=10)
try:
    print("pong" if client.ping() else "no")
except (redis.AuthenticationError, redis.ResponseError):
    print("refused")
try:
    client.config_get("*")
    print("configures")
except redis.RedisError:
    print("refused")
"""
CHROMA = """
import sys, urllib.request as r, urllib.error as e
url, token = sys.stdin.read().split()
q = r.Request(url + "/api/v2/tenants/default_tenant/databases/default_database/collections",
              headers={"authorization": "Bearer " + token})
try:
    print(r.urlopen(q, timeout=10).status)
except e.HTTPError as error:
    print(error.code)
"""
POSTGRES = """
import asyncio, sys, asyncpg
async def main():
    try:
        connection = await asyncpg.connect(sys.stdin.read().strip(), timeout=10)
    except (asyncpg.InvalidAuthorizationSpecificationError, asyncpg.InsufficientPrivilegeError):
        return "refused"
    return await connection.fetchval("SELECT current_user")
print(asyncio.run(main()))
"""


@pytest.fixture(scope="module")
def initech(cluster: Cluster) -> str:
    """The API key of a ready tenant of the dedicated profile."""
    cluster.kubectl("apply", "-f", str(EXAMPLES / "tenant-dedicated.yaml"))
    return ready(cluster)


def ready(cluster: Cluster) -> str:
    cluster.kubectl("wait", "mt/initech", "--for=condition=Ready", "--timeout=300s")
    return cluster.secret(HOME, "loci-api-keys", "default")


@pytest.fixture(scope="module")
def team(cluster: Cluster) -> str:
    """The name of a running pod of another tenant."""
    cluster.kubectl("apply", "-f", str(EXAMPLES / "tenant-shared.yaml"))
    cluster.kubectl("wait", "mt/team", "--for=condition=Ready", "--timeout=120s")
    return cluster.running_pod("loci-team")


def credentials(cluster: Cluster) -> dict[str, str]:
    names = ("postgres-dsn", "chroma-token", "neo4j-password", "redis-url")
    return {name: cluster.secret(HOME, "loci-stores", name) for name in names}


def data_plane(cluster: Cluster) -> list[str]:
    pods = cluster.get("pods", "-n", HOME, "-l", "app.kubernetes.io/component=dataplane")["items"]
    return [p["metadata"]["name"] for p in pods if "deletionTimestamp" not in p["metadata"]]


def python(cluster: Cluster, namespace: str, pod: str, program: str, *lines: str) -> list[str]:
    command = ("exec", "-i", "-n", namespace, "-c", "dataplane", pod, "--", "python3", "-c", program)
    return cluster.kubectl(*command, stdin="\n".join(lines)).split()


def found(cluster: Cluster, key: str) -> list[str]:
    with cluster.http(key) as client:
        answer = client.post("/v1/memories/search", json=QUESTION)
        body: dict[str, Any] = answer.json()
    return [] if answer.status_code != 200 or body["degraded"] else [r["content"] for r in body["results"]]


def neighbors(cluster: Cluster, key: str) -> list[str]:
    with cluster.http(key) as client:
        answer = client.get("/v2/graph/neighbors", params={"entity": "Lisbon", "user_id": "grace"})
    return [n["name"].lower() for n in answer.json()["neighbors"]] if answer.status_code == 200 else []


def test_each_store_is_a_pod_of_the_tenants_own_and_the_data_plane_two(cluster: Cluster, initech: str) -> None:
    assert initech
    pods = cluster.get("pods", "-n", HOME)["items"]
    components = sorted(p["metadata"]["labels"]["app.kubernetes.io/component"] for p in pods)
    assert components == sorted([*STORES, "dataplane", "dataplane"])
    for pod in pods:
        assert pod["spec"]["securityContext"]["runAsNonRoot"] is True
        assert all(c["securityContext"]["readOnlyRootFilesystem"] for c in pod["spec"]["containers"])
    claims = {c["metadata"]["name"] for c in cluster.get("pvc", "-n", HOME)["items"]}
    assert claims == {f"data-loci-{store}-0" for store in STORES if store != "redis"}
    conditions = {c["type"]: c["status"] for c in cluster.get("mt", "initech")["status"]["conditions"]}
    assert conditions["StoresReady"] == conditions["DataPlaneReady"] == "True"


def test_a_memory_and_its_graph_are_found_through_envoy_and_outlive_every_pod(cluster: Cluster, initech: str) -> None:
    with cluster.http(initech) as client:
        message = {"role": "user", "content": TOLD}
        answer = client.post("/v2/memories", json={"messages": [message], "user_id": "grace", "session_id": "s"})
        assert answer.status_code == 201, answer.text
    wait_until(lambda: found(cluster, initech) == [TOLD], "it is found", 60)
    wait_until(lambda: "grace" in neighbors(cluster, initech), "the graph has it", 60)
    cluster.kubectl("delete", "pod", "-n", HOME, "--all", "--wait=true", "--timeout=180s")
    wait_until(lambda: found(cluster, initech) == [TOLD], "the new pods find it", 180, interval=1)
    wait_until(lambda: "grace" in neighbors(cluster, initech), "the new pods have its graph", 60, interval=1)


@pytest.mark.invariant(1)
def test_clients_with_the_tenants_credentials_see_its_own_data(cluster: Cluster, initech: str) -> None:
    ready(cluster)
    assert found(cluster, initech) == [TOLD]
    held, (pod, *_) = credentials(cluster), data_plane(cluster)

    def psql(query: str) -> str:
        command = ("psql", "--no-psqlrc", "--tuples-only", "--no-align", "--command", query, held["postgres-dsn"])
        return cluster.kubectl("exec", "-n", HOME, "loci-postgres-0", "--", *command).strip()

    assert psql("SELECT content FROM tenant_initech.memory") == TOLD
    for query in ("CREATE TABLE tenant_initech.mine ()", "SET ROLE postgres", "SELECT pg_read_file('/etc/passwd')"):
        with pytest.raises(RuntimeError, match="permission denied"):
            psql(query)
    labels = python(cluster, HOME, pod, BOLT, "bolt://loci-neo4j:7687", held["neo4j-password"])
    assert {"Memory", "Entity"} <= set(labels)
    assert python(cluster, HOME, pod, CHROMA, "http://loci-chroma:8000", held["chroma-token"]) == ["200"]
    redis_cli = ("redis-cli", "--no-auth-warning", "-u", held["redis-url"])
    assert cluster.kubectl("exec", "-n", HOME, "loci-redis-0", "--", *redis_cli, "PING").strip() == "PONG"
    assert int(cluster.kubectl("exec", "-n", HOME, "loci-redis-0", "--", *redis_cli, "DBSIZE")) > 0, "nothing is cached"
    assert "NOPERM" in cluster.kubectl("exec", "-n", HOME, "loci-redis-0", "--", *redis_cli, "CONFIG", "GET", "*")


@pytest.mark.invariant(1)
def test_another_tenants_pod_cannot_authenticate(cluster: Cluster, initech: str, team: str) -> None:
    assert initech
    theirs = {name: cluster.secret("loci-team", "loci-stores", name) for name in ("postgres-dsn", "chroma-token")}
    there = f"{HOME}.svc"
    password = urlsplit(theirs["postgres-dsn"]).password
    for user in ("tenant_team", "tenant_initech", "postgres"):
        dsn = f"postgresql://{user}:{password}@loci-postgres.{there}:5432/loci"
        assert python(cluster, "loci-team", team, POSTGRES, dsn) == ["refused"]
    gate = f"http://loci-chroma.{there}:8000"
    assert python(cluster, "loci-team", team, CHROMA, gate, theirs["chroma-token"]) == ["403"]
    for guess in ("neo4j", str(password)):
        assert python(cluster, "loci-team", team, BOLT, f"bolt://loci-neo4j.{there}:7687", guess) == ["refused"]
    for login in ("", f":{password}@", f"loci:{password}@", "default:@"):
        url = f"redis://{login}loci-redis.{there}:6379/0"
        assert python(cluster, "loci-team", team, REDIS, url) == ["refused", "refused"]


def test_credentials_stay_the_same_over_restarts_and_are_restored(cluster: Cluster, initech: str) -> None:
    assert initech
    before = credentials(cluster)
    cluster.kubectl("rollout", "restart", "deployment/loci-operator", "-n", NAMESPACE)
    cluster.kubectl("rollout", "status", "deployment/loci-operator", "-n", NAMESPACE, "--timeout=120s")
    # A Secret that is deleted while no operator leads is lost, so wait until the new one has reconciled the tenant.
    cluster.kubectl("patch", "mt", "initech", "--type=merge", "-p", '{"spec": {"limits": {"burst": 1234}}}')
    generation = cluster.get("mt", "initech")["metadata"]["generation"]
    cluster.kubectl(
        "wait", "mt/initech", f"--for=jsonpath={{.status.observedGeneration}}={generation}", "--timeout=120s"
    )
    ready(cluster)
    assert credentials(cluster) == before
    cluster.kubectl("delete", "secret", "loci-stores", "-n", HOME)
    wait_until(lambda: cluster.exists("secret", "loci-stores", "-n", HOME), "the Secret is back")
    assert credentials(cluster) == before


def test_retained_data_is_there_for_a_successor_that_adopts_it(cluster: Cluster, initech: str) -> None:
    assert initech
    before = credentials(cluster)
    cluster.kubectl("delete", "mt", "initech", "--wait=true", "--timeout=120s")
    wait_until(lambda: not cluster.exists("statefulset", "loci-postgres", "-n", HOME), "the stores are gone", 120)
    wait_until(lambda: not cluster.exists("pod", "loci-postgres-0", "-n", HOME), "their pods, too", 120)
    assert len(cluster.get("pvc", "-n", HOME)["items"]) == 3
    text = (EXAMPLES / "tenant-dedicated.yaml").read_text()
    adopting = text.replace("name: initech", 'name: initech\n  annotations: {loci.dev/adopt: "true"}')
    cluster.kubectl("apply", "-f", "-", stdin=adopting.replace("spec:", "spec:\n  deletionPolicy: Delete", 1))
    key = ready(cluster)
    assert credentials(cluster) != before
    wait_until(lambda: found(cluster, key) == [TOLD], "the successor finds it", 120, interval=1)
    wait_until(lambda: "grace" in neighbors(cluster, key), "with its graph", 60, interval=1)


def test_a_tenant_deleted_with_its_data_leaves_no_volume(cluster: Cluster, initech: str) -> None:
    assert initech
    cluster.kubectl("delete", "mt", "initech", "--wait=true", "--timeout=120s")
    wait_until(lambda: not cluster.exists("namespace", HOME), "no namespace", 180)
    wait_until(lambda: HOME not in cluster.kubectl("get", "pv", "-o", "yaml"), "no volume", 120)
