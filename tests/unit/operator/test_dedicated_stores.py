"""Stores of a tenant's own: who may reach them, who has which credential, and what stays."""

import base64
from dataclasses import replace
from typing import Any

import pytest

from loci_dev.rigs.contexts import dedicated
from loci_operator.reconcile.causes import Problem
from loci_operator.reconcile.observed import ObjectRef, Seen
from loci_operator.reconcile.stores import stores_problem
from loci_operator.specs.children import children
from loci_operator.specs.context import Context
from loci_operator.specs.dedicated.all import servers
from loci_resources.tenant import DeletionPolicy

STORES = ("postgres", "chroma", "neo4j", "redis")
SECRETS = ("password-of-acme", "superuser-of-acme", "token-at-gate", "graph-of-acme", "cache-of-acme")


@pytest.fixture
def made() -> Context:
    return dedicated()


def of(made: Context, kind: str) -> dict[str, dict[str, Any]]:
    return {c["metadata"]["name"]: c for c in children(made) if c["kind"] == kind}


def template(manifest: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = manifest["spec"]["template"]
    return found


@pytest.mark.invariant(1)
@pytest.mark.parametrize("store", STORES)
def test_only_the_tenants_data_plane_reaches_a_store_and_a_store_reaches_nothing(made: Context, store: str) -> None:
    policy, pods = (
        of(made, "NetworkPolicy")[f"loci-{store}"]["spec"],
        template(of(made, "StatefulSet")[f"loci-{store}"]),
    )
    data_plane = template(of(made, "Deployment")["loci-dataplane"])["metadata"]["labels"]
    assert policy["podSelector"]["matchLabels"].items() <= pods["metadata"]["labels"].items()
    assert policy["policyTypes"] == ["Ingress", "Egress"]
    assert policy["egress"] == []
    (rule,) = policy["ingress"]
    (caller,) = rule["from"]
    assert caller.keys() == {"podSelector"}, "of another namespace"
    assert caller["podSelector"]["matchLabels"].items() <= data_plane.items()
    others = [template(o)["metadata"]["labels"] for o in of(made, "StatefulSet").values()]
    assert not any(caller["podSelector"]["matchLabels"].items() <= labels.items() for labels in others)
    ports = {port["containerPort"] for c in pods["spec"]["containers"] for port in c.get("ports", ())}
    assert {port["port"] for port in rule["ports"]} == ports


def test_the_data_plane_reaches_its_own_stores_and_no_shared_ones(made: Context) -> None:
    egress = of(made, "NetworkPolicy")["loci-dataplane"]["spec"]["egress"]
    reached = {
        (peer["podSelector"]["matchLabels"]["app.kubernetes.io/component"], port["port"])
        for rule in egress
        for peer in rule.get("to", ())
        for port in rule["ports"]
    }
    assert reached == {("embedder", 8081), ("postgres", 5432), ("chroma", 8000), ("neo4j", 7687), ("redis", 6379)}


def test_services_and_budgets_select_the_pods_of_one_kind(made: Context) -> None:
    templates = {**of(made, "StatefulSet"), **of(made, "Deployment")}
    labels = {name: template(o)["metadata"]["labels"] for name, o in templates.items()}
    for name, service in of(made, "Service").items():
        selector = service["spec"]["selector"]
        assert [n for n, found in labels.items() if selector.items() <= found.items()] == [name]
    selector = of(made, "PodDisruptionBudget")["loci-dataplane"]["spec"]["selector"]["matchLabels"]
    assert [n for n, found in labels.items() if selector.items() <= found.items()] == ["loci-dataplane"]


@pytest.mark.parametrize("store", [*STORES, "dataplane"])
def test_every_pod_is_restricted_and_can_write_to_its_volumes_alone(made: Context, store: str) -> None:
    spec = template({**of(made, "StatefulSet"), **of(made, "Deployment")}[f"loci-{store}"])["spec"]
    assert spec["automountServiceAccountToken"] is False
    assert spec["securityContext"]["runAsNonRoot"] is True
    for container in (*spec["containers"], *spec.get("initContainers", ())):
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert container["resources"]["limits"]["memory"]
        assert container["resources"]["requests"].keys() == {"cpu", "memory"}, "the quota asks for both"


@pytest.mark.invariant(5)
def test_credentials_are_in_secrets_alone(made: Context) -> None:
    others = str([c for c in children(made) if c["kind"] != "Secret"]) + repr(made) + repr(servers(made))
    assert [secret for secret in SECRETS if secret in others] == []


def test_the_superusers_password_is_mounted_in_no_container_that_serves(made: Context) -> None:
    deployment = template(of(made, "Deployment")["loci-dataplane"])["spec"]
    (main,) = deployment["containers"]
    (preparation,) = deployment["initContainers"]
    assert "admin" not in {m["name"] for m in main["volumeMounts"]}
    assert "admin" in {m["name"] for m in preparation["volumeMounts"]}
    files = {name: base64.b64decode(text).decode() for name, text in of(made, "Secret")["loci-stores"]["data"].items()}
    assert "superuser-of-acme" not in str(files)


def test_data_is_on_volumes_that_only_their_namespace_takes_along(made: Context) -> None:
    for name, stateful_set in of(made, "StatefulSet").items():
        spec = stateful_set["spec"]
        assert spec["persistentVolumeClaimRetentionPolicy"] == {"whenDeleted": "Retain", "whenScaled": "Retain"}
        sizes = [c["spec"]["resources"]["requests"]["storage"] for c in spec["volumeClaimTemplates"]]
        assert sizes == ([] if name == "loci-redis" else ["20Gi"])
    namespace = of(made, "Namespace")["loci-acme"]
    assert "ownerReferences" not in namespace["metadata"]
    spec = made.tenant.spec.model_copy(update={"deletion_policy": DeletionPolicy.DELETE})
    gone = replace(made, tenant=made.tenant.model_copy(update={"spec": spec}))
    assert of(gone, "Namespace")["loci-acme"]["metadata"]["ownerReferences"]


def test_the_data_plane_has_two_pods_that_spread_and_are_replaced_one_by_one(made: Context) -> None:
    spec = of(made, "Deployment")["loci-dataplane"]["spec"]
    assert spec["replicas"] == 2
    assert spec["strategy"]["rollingUpdate"] == {"maxUnavailable": 0, "maxSurge": 1}
    keys = [c["topologyKey"] for c in spec["template"]["spec"]["topologySpreadConstraints"]]
    assert keys == ["topology.kubernetes.io/zone", "kubernetes.io/hostname"]


def test_another_credential_restarts_its_store_alone(made: Context) -> None:
    assert made.stores.neo4j
    changed = replace(made, stores=replace(made.stores, neo4j=replace(made.stores.neo4j, password="another")))
    before, after = of(made, "StatefulSet"), of(changed, "StatefulSet")
    assert [name for name in before if before[name] != after[name]] == ["loci-neo4j"]


def test_a_store_that_is_not_ready_is_named_with_its_cause(made: Context) -> None:
    ready = Seen(version="1", hash="", foreign=False, deleting=False, ready=True)
    waiting = replace(ready, ready=False)
    seen = {ObjectRef("StatefulSet", "loci-acme", f"loci-{store}"): ready for store in STORES}
    own = servers(made)

    def known(name: str) -> Problem | None:
        return Problem("OOMKilled", "Raise it.") if name == "loci-neo4j" else None

    assert stores_problem(seen, "loci-acme", own, known) is None
    seen[ObjectRef("StatefulSet", "loci-acme", "loci-neo4j")] = waiting
    problem = stores_problem(seen, "loci-acme", own, lambda _: None)
    assert problem
    assert (problem.reason, problem.message.split()[0]) == ("StoreStarting", "Neo4j")
    assert stores_problem(seen, "loci-acme", own, known) == Problem("OOMKilled", "Neo4j: Raise it.")
    del seen[ObjectRef("StatefulSet", "loci-acme", "loci-postgres")]
    assert "PostgreSQL" in str(stores_problem(seen, "loci-acme", own, known))
