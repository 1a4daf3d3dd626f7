"""From `kubectl apply` to a memory found, in real pods, with nothing but the chart installed."""

from pathlib import Path

import pytest

from loci_dev.cluster.client import Cluster
from loci_dev.cluster.install import NAMESPACE
from loci_dev.rigs.processes import wait_until

EXAMPLES = Path(__file__).parents[2] / "examples"
TOLD = "ada: I can't have peanuts any more, the doctor was clear."
QUESTION = {"query": "What is Ada allergic to?", "limit": 5}


@pytest.fixture(scope="module")
def acme(cluster: Cluster) -> str:
    """The API key of a ready tenant made from the example file."""
    cluster.kubectl("apply", "-f", str(EXAMPLES / "tenant-acme.yaml"))
    cluster.kubectl("wait", "mt/acme", "--for=condition=Ready", "--timeout=120s")
    return cluster.secret("loci-acme", "loci-api-keys", "default")


@pytest.fixture(scope="module")
def rival(cluster: Cluster) -> str:
    """The API key of a second tenant, made through the admin API at the ingress."""
    with cluster.http(cluster.admin_key()) as client:
        answer = client.post("/admin/tenants", json={"name": "rival_corp", "tier": "pro", "deletion_policy": "Delete"})
    assert answer.status_code == 201, answer.text
    cluster.kubectl("wait", "mt/rival-corp", "--for=condition=Ready", "--timeout=120s")
    key: str = answer.json()["api_key"]
    return key


def test_kubectl_get_tells_the_tenants_story(cluster: Cluster, acme: str) -> None:
    header, row = cluster.kubectl("get", "mt", "acme").splitlines()
    assert header.split()[:2] == ["NAME", "TIER"]
    assert row.split()[:2] == ["acme", "pro"]
    status = cluster.get("mt", "acme")["status"]
    assert status["namespace"] == "loci-acme"
    assert {c["type"]: c["status"] for c in status["conditions"]}["Ready"] == "True"
    assert acme not in str(status), "a secret in the status"


def test_a_memory_stored_through_the_ingress_is_found_in_the_tenants_pod(cluster: Cluster, acme: str) -> None:
    with cluster.http(acme) as client:
        stored = client.post("/v1/memories", json={"content": TOLD})
        assert stored.status_code == 201, stored.text
        found = client.post("/v1/memories/search", json=QUESTION).json()
    assert found["results"][0]["content"] == TOLD
    assert found["degraded"] == []


@pytest.mark.invariant(1)
def test_another_tenant_sees_nothing_of_it(cluster: Cluster, acme: str, rival: str) -> None:
    with cluster.http(acme) as mine, cluster.http(rival) as theirs:
        memory = mine.get("/v1/memories").json()["memories"][0]["id"]
        assert theirs.get("/v1/memories").json()["memories"] == []
        assert theirs.post("/v1/memories/search", json=QUESTION).json()["results"] == []
        assert theirs.get(f"/v1/memories/{memory}").status_code == 404
        assert theirs.delete(f"/v1/memories/{memory}").status_code == 404
        assert mine.get(f"/v1/memories/{memory}").status_code == 200


def test_the_pod_refuses_what_did_not_come_through_the_ingress(cluster: Cluster, acme: str) -> None:
    assert acme
    ask = (
        "import urllib.request, urllib.error\n"
        "try: print(urllib.request.urlopen('http://127.0.0.1:8080/v1/memories').status)\n"
        "except urllib.error.HTTPError as e: print(e.code)"
    )
    pod = cluster.running_pod("loci-acme")
    assert cluster.kubectl("exec", "-n", "loci-acme", pod, "--", "python3", "-c", ask).strip() == "403"


def test_a_wrong_key_is_refused_by_the_policy(cluster: Cluster) -> None:
    with cluster.http("sk-acme-guess") as client:
        answer = client.get("/v1/memories")
    assert answer.status_code == 401
    assert answer.json()["error"] == "unauthorized"


@pytest.mark.parametrize("child", ["service", "networkpolicy", "configmap", "statefulset"])
def test_a_deleted_child_comes_back(cluster: Cluster, acme: str, child: str) -> None:
    assert acme
    selector = "loci.dev/tenant=acme"
    names = cluster.kubectl("get", child, "-n", "loci-acme", "-l", selector, "-o", "name").split()
    uids = {i["metadata"]["uid"] for i in cluster.get(child, "-n", "loci-acme", "-l", selector)["items"]}
    cluster.kubectl("delete", "-n", "loci-acme", "--wait=true", *names)

    def is_back() -> bool:
        items = cluster.get(child, "-n", "loci-acme", "-l", selector)["items"]
        return len(items) == len(names) and not uids & {i["metadata"]["uid"] for i in items}

    wait_until(is_back, f"the {child} is back")


def test_memories_outlive_the_pod(cluster: Cluster, acme: str) -> None:
    cluster.kubectl("wait", "mt/acme", "--for=condition=Ready", "--timeout=120s")
    cluster.kubectl("delete", "pod", "-n", "loci-acme", cluster.running_pod("loci-acme"), "--wait=true")
    with cluster.http(acme) as client:
        wait_until(lambda: client.post("/v1/memories/search", json=QUESTION).status_code == 200, "the pod serves", 60)
        found = client.post("/v1/memories/search", json=QUESTION).json()
    assert TOLD in [r["content"] for r in found["results"]]


def test_everything_that_runs_is_what_the_chart_and_the_operator_made(cluster: Cluster, acme: str) -> None:
    assert acme
    pods = cluster.get("pods", "-n", NAMESPACE)["items"]
    assert {p["metadata"]["labels"]["app.kubernetes.io/component"] for p in pods} == {
        "operator",
        "admin",
        "ingress",
        "embedder",
        "redis",
        "postgres",
        "chroma",
    }
    for namespace in (NAMESPACE, "loci-acme"):
        for pod in cluster.get("pods", "-n", namespace)["items"]:
            security = pod["spec"]["securityContext"]
            assert security["runAsNonRoot"] is True
            assert all(c["securityContext"]["readOnlyRootFilesystem"] for c in pod["spec"]["containers"])


def test_a_deleted_tenant_leaves_nothing(cluster: Cluster, rival: str) -> None:
    cluster.kubectl("delete", "mt", "rival-corp", "--wait=true", "--timeout=60s")
    with cluster.http(rival) as client:
        wait_until(lambda: client.get("/v1/memories").status_code == 401, "the key is refused")
    wait_until(lambda: not cluster.exists("secret", "registry-rival-corp", "-n", NAMESPACE), "no registry record")
    wait_until(lambda: not cluster.exists("namespace", "loci-rival-corp"), "no namespace", 90)


def test_a_tenant_with_deletion_policy_delete_leaves_no_namespace_either(cluster: Cluster) -> None:
    cluster.kubectl("apply", "-f", str(EXAMPLES / "tenant-free.yaml"))
    name = cluster.get("-f", str(EXAMPLES / "tenant-free.yaml"))["metadata"]["name"]
    cluster.kubectl("wait", f"mt/{name}", "--for=condition=Ready", "--timeout=120s")
    cluster.kubectl("delete", "mt", name, "--wait=true", "--timeout=60s")
    wait_until(lambda: not cluster.exists("namespace", f"loci-{name}"), "no namespace", 90)
    wait_until(lambda: f"loci-{name}" not in cluster.kubectl("get", "pv", "-o", "yaml"), "no volume", 60)
