"""The operator as a process under its own account, on a real API server (no node: pods stay pending)."""

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from loci_contract.keys import is_well_formed, sha256
from loci_dev.cluster.tenants import Tenants
from loci_dev.rigs.processes import wait_until

CHILDREN = {
    "ResourceQuota/loci-dataplane",
    "LimitRange/loci-dataplane",
    "NetworkPolicy/default-deny",
    "NetworkPolicy/loci-dataplane",
    "ServiceAccount/loci-dataplane",
    "Secret/loci-api-keys",
    "Secret/loci-dataplane",
    "ConfigMap/loci-dataplane",
    "Service/loci-dataplane",
    "PodDisruptionBudget/loci-dataplane",
    "StatefulSet/loci-dataplane",
}


@pytest.mark.usefixtures("operator")
def test_a_tenant_becomes_all_its_objects_and_a_status(tenants: Tenants) -> None:
    tenants.apply("fresh")
    tenants.settled("fresh")
    assert tenants.names("fresh") == CHILDREN
    labels = tenants.get("namespace", "loci-fresh")["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"
    status = tenants.status("fresh")
    assert status["namespace"] == "loci-fresh"
    assert status["limits"] == {"requestsPerMinute": 1000, "burst": 100, "maxMemories": 100000, "maxGraphNodes": 500000}
    assert [key["name"] for key in status["apiKeys"]] == ["default"]
    assert tenants.condition("fresh", "Ready")["reason"] == "PodNotReady"


@pytest.mark.usefixtures("operator")
def test_the_registry_record_holds_the_hash_of_the_generated_key(tenants: Tenants) -> None:
    tenants.apply("hashed")
    tenants.settled("hashed")
    secret = tenants.get("secret", "loci-api-keys", "-n", "loci-hashed")
    key = base64.b64decode(secret["data"]["default"]).decode()
    record = tenants.record("hashed")
    assert is_well_formed(key)
    assert [k["sha256"] for k in record["keys"]] == [sha256(key)]
    assert record["upstream"] == "loci-dataplane.loci-hashed.svc.cluster.local:8080"
    token = base64.b64decode(tenants.get("secret", "loci-dataplane", "-n", "loci-hashed")["data"]["ingress-token"])
    assert record["ingress_token"] == token.decode()


@pytest.mark.invariant(5)
def test_no_secret_is_in_a_status_an_annotation_an_event_or_a_log(tenants: Tenants, operator: Path) -> None:
    tenants.apply("quiet")
    tenants.settled("quiet")
    key = base64.b64decode(tenants.get("secret", "loci-api-keys", "-n", "loci-quiet")["data"]["default"]).decode()
    token = tenants.record("quiet")["ingress_token"]
    objects = [c for c in tenants.children("quiet") if c["kind"] != "Secret"]
    annotations = [c["metadata"].get("annotations") for c in tenants.children("quiet")]
    events = tenants.get("events", "-A")
    seen = json.dumps([objects, annotations, tenants.get("mt", "quiet"), events]) + operator.read_text()
    for secret in (key, sha256(key), token):
        assert secret not in seen


CHANGES = {
    "service": '{"spec": {"selector": {"app.kubernetes.io/name": "attacker"}}}',
    "networkpolicy": '{"spec": {"ingress": [{}]}}',
    "networkpolicy/default-deny": '{"spec": {"ingress": [{}], "egress": [{}]}}',
    "configmap": '{"data": {"limits.json": "{}"}}',
    "statefulset": '{"spec": {"template": {"spec": {"automountServiceAccountToken": true}}}}',
    "resourcequota": '{"spec": {"hard": {"pods": "1000"}}}',
}


@pytest.mark.usefixtures("operator")
@pytest.mark.parametrize(("kind", "patch"), CHANGES.items(), ids=CHANGES.keys())
def test_an_edited_child_is_put_right(tenants: Tenants, kind: str, patch: str) -> None:
    name = f"edited-{kind.replace('/', '-')}"
    tenants.apply(name)
    tenants.settled(name)
    kind, _, child = kind.partition("/")
    arguments = (kind, child or "loci-dataplane", "-n", f"loci-{name}")
    field = next(iter(json.loads(patch)))
    before = tenants.get(*arguments)[field]
    tenants.plane.kubectl("patch", *arguments, "--type=merge", "-p", patch)
    wait_until(lambda: tenants.get(*arguments)[field] == before, f"the {kind} is as before")


@contextmanager
def custom_tier(tenants: Tenants, name: str, **spec: Any) -> Iterator[None]:
    """A tier like pro with other fields, for the length of the block."""
    tier = tenants.get("mtier", "pro")
    document = {**tier, "metadata": {"name": name}, "spec": {**tier["spec"], **spec}}
    tenants.plane.kubectl("apply", "-f", "-", stdin=json.dumps(document))
    try:
        yield
    finally:
        tenants.plane.kubectl("delete", "mtier", name)


@pytest.mark.usefixtures("operator")
def test_a_set_that_somebody_scales_is_put_right(tenants: Tenants) -> None:
    tenants.apply("scaled")
    tenants.settled("scaled")
    tenants.plane.kubectl("scale", "statefulset", "loci-dataplane", "-n", "loci-scaled", "--replicas=0")
    wait_until(
        lambda: tenants.get("statefulset", "loci-dataplane", "-n", "loci-scaled")["spec"]["replicas"] == 1, "it is one"
    )


def secret(tenants: Tenants, name: str, tenant: str) -> dict[str, str]:
    data: dict[str, str] = tenants.get("secret", name, "-n", f"loci-{tenant}").get("data", {})
    return {key: base64.b64decode(text).decode() for key, text in data.items()}


@pytest.mark.usefixtures("operator")
@pytest.mark.parametrize("how", ["deleted", "edited"])
def test_the_pods_token_stays_what_the_ingress_sends(tenants: Tenants, how: str) -> None:
    name = f"token-{how}"
    tenants.apply(name)
    tenants.settled(name)
    token = tenants.record(name)["ingress_token"]
    arguments = ("secret", "loci-dataplane", "-n", f"loci-{name}")
    if how == "deleted":
        tenants.plane.kubectl("delete", *arguments)
    else:
        tenants.plane.kubectl("patch", *arguments, "--type=merge", "-p", '{"stringData": {"ingress-token": "forged"}}')
    wait_until(
        lambda: tenants.exists(*arguments) and secret(tenants, "loci-dataplane", name) == {"ingress-token": token},
        "the token is as before",
    )
    assert tenants.record(name)["ingress_token"] == token


@pytest.mark.usefixtures("operator")
def test_a_spoilt_api_key_is_made_anew(tenants: Tenants) -> None:
    tenants.apply("spoilt")
    tenants.settled("spoilt")
    patch = '{"data": {"default": "/w=="}}'
    tenants.plane.kubectl("patch", "secret", "loci-api-keys", "-n", "loci-spoilt", "--type=merge", "-p", patch)
    wait_until(
        lambda: tenants.get("secret", "loci-api-keys", "-n", "loci-spoilt")["data"]["default"] != "/w==", "a new key"
    )
    key = secret(tenants, "loci-api-keys", "spoilt")["default"]
    assert is_well_formed(key)
    wait_until(lambda: tenants.record("spoilt")["keys"][0]["sha256"] == sha256(key), "the ingress knows it")


@pytest.mark.invariant(4)
@pytest.mark.usefixtures("operator")
def test_what_is_no_longer_allowed_is_refused_though_the_rest_cannot_be(tenants: Tenants) -> None:
    tenants.apply("strict", tier="enterprise", limits={"burst": 5}, apiKeys=[{"name": "one"}, {"name": "two"}])
    tenants.settled("strict")
    tenants.apply("strict", tier="free", limits={"burst": 5}, apiKeys=[{"name": "two"}], suspend=True)
    wait_until(lambda: tenants.record("strict")["state"] == "suspended", "the ingress refuses")
    assert [key["name"] for key in tenants.record("strict")["keys"]] == ["two"]
    assert tenants.condition("strict", "Ready")["reason"] == "OverridesNotAllowed"
    tenants.apply("strict", tier="enterprise", limits={"burst": 5}, apiKeys=[{"name": "one"}, {"name": "two"}])
    wait_until(lambda: tenants.record("strict")["state"] == "active", "the ingress serves again")
    assert {key["name"] for key in tenants.record("strict")["keys"]} == {"one", "two"}


@pytest.mark.usefixtures("operator")
def test_a_pod_that_cannot_be_becomes_a_condition_and_the_one_there_is_stays(tenants: Tenants) -> None:
    tenants.apply("unfit")
    tenants.settled("unfit")
    arguments = ("statefulset", "loci-dataplane", "-n", "loci-unfit")
    before = tenants.uid(*arguments)
    with custom_tier(tenants, "flawed", storageSize="0"):
        tenants.apply("unfit", tier="flawed")
        wait_until(lambda: tenants.condition("unfit", "Ready").get("reason") == "InvalidPod", "the condition says so")
        assert "storage" in tenants.condition("unfit", "DataPlaneReady")["message"]
    assert tenants.uid(*arguments) == before


@pytest.mark.usefixtures("operator")
def test_a_field_that_may_not_change_makes_the_set_anew_around_its_volume(tenants: Tenants) -> None:
    tenants.apply("regrown")
    tenants.settled("regrown")
    arguments = ("statefulset", "loci-dataplane", "-n", "loci-regrown")
    before = tenants.uid(*arguments)
    volume = ("pvc", "data-loci-dataplane-0", "-n", "loci-regrown")
    wait_until(lambda: tenants.exists(*volume), "there is a volume claim")
    held = tenants.uid(*volume)
    tenants.apply("regrown", tier="enterprise")
    wait_until(lambda: tenants.uid(*arguments) not in {"", before}, "the set is another")
    assert tenants.uid(*volume) == held


@pytest.mark.usefixtures("operator")
def test_a_set_that_somebody_deletes_keeps_its_volume_also_with_policy_delete(tenants: Tenants) -> None:
    tenants.apply("hasty", deletionPolicy="Delete")
    tenants.settled("hasty")
    volume = ("pvc", "data-loci-dataplane-0", "-n", "loci-hasty")
    wait_until(lambda: tenants.exists(*volume), "there is a volume claim")
    assert "ownerReferences" not in tenants.get(*volume)["metadata"]


@pytest.mark.usefixtures("operator")
@pytest.mark.parametrize("child", sorted(CHILDREN))
def test_a_deleted_child_comes_back(tenants: Tenants, child: str) -> None:
    kind, child_name = child.split("/")
    name = f"lost-{kind}-{child_name}".lower()
    tenants.apply(name)
    tenants.settled(name)
    arguments = (kind, child_name, "-n", f"loci-{name}")
    before = tenants.uid(*arguments)
    tenants.plane.kubectl("delete", *arguments)
    wait_until(lambda: tenants.uid(*arguments) not in {"", before}, f"{child} is back")


@pytest.mark.usefixtures("operator")
def test_a_change_of_tier_reaches_the_ingress_without_touching_the_pod_template(tenants: Tenants) -> None:
    tenants.apply("grown", tier="pro", resources={"limits": {"memory": "1Gi"}})
    tenants.settled("grown")
    template = tenants.get("statefulset", "loci-dataplane", "-n", "loci-grown")["spec"]["template"]
    tenants.apply("grown", tier="enterprise", resources={"limits": {"memory": "1Gi"}})
    wait_until(lambda: tenants.record("grown")["limits"]["requests_per_minute"] == 10_000, "the record has the limit")
    wait_until(lambda: tenants.status("grown")["limits"]["requestsPerMinute"] == 10_000, "the status has the limit")
    limits = tenants.get("configmap", "loci-dataplane", "-n", "loci-grown")["data"]["limits.json"]
    assert json.loads(limits)["max_memories"] == 10_000_000
    arguments = ("statefulset", "loci-dataplane", "-n", "loci-grown")
    wait_until(lambda: tenants.exists(*arguments), "the set is there, around its volume")
    assert tenants.get(*arguments)["spec"]["template"] == template


@pytest.mark.usefixtures("operator")
def test_suspending_reaches_the_ingress_and_back(tenants: Tenants) -> None:
    tenants.apply("paused", suspend=True)
    tenants.settled("paused")
    assert tenants.record("paused")["state"] == "suspended"
    assert tenants.status("paused")["phase"] == "Suspended"
    tenants.apply("paused", suspend=False)
    wait_until(lambda: tenants.record("paused")["state"] == "active", "the tenant is active")


REJECTED: dict[str, tuple[dict[str, Any], str, str]] = {
    "unknown tier": ({"tier": "gold"}, "UnknownTier", "enterprise, free, pro"),
    "overrides": ({"tier": "free", "limits": {"burst": 5}}, "OverridesNotAllowed", "Remove spec.limits"),
    "profile": ({"storage": {"profile": "shared"}}, "ProfileNotSupported", "stores.*"),
}


@pytest.mark.usefixtures("operator")
@pytest.mark.parametrize(("spec", "reason", "advice"), REJECTED.values(), ids=REJECTED.keys())
def test_a_spec_that_cannot_be_met_becomes_a_condition_that_says_what_to_do(
    tenants: Tenants, spec: dict[str, Any], reason: str, advice: str
) -> None:
    name = f"rejected-{reason.lower()}"
    tenants.apply(name, **spec)
    wait_until(lambda: tenants.condition(name, "Ready").get("reason") == reason, f"the reason is {reason}")
    assert advice in tenants.condition(name, "Ready")["message"]
    assert tenants.status(name)["phase"] == "Failed"
    assert not tenants.exists("namespace", f"loci-{name}")
    version = tenants.get("mt", name)["metadata"]["resourceVersion"]
    tenants.apply(f"beside-{reason.lower()}")
    tenants.settled(f"beside-{reason.lower()}")
    assert tenants.get("mt", name)["metadata"]["resourceVersion"] == version, "it is tried again and again"


@pytest.mark.usefixtures("operator")
def test_a_rejected_tenant_heals_when_its_tier_appears(tenants: Tenants) -> None:
    tenants.apply("early", tier="late")
    wait_until(lambda: tenants.condition("early", "Ready").get("reason") == "UnknownTier", "the tier is unknown")
    with custom_tier(tenants, "late"):
        tenants.settled("early")


@pytest.mark.usefixtures("operator")
def test_keys_come_and_go_with_the_spec_and_others_stay(tenants: Tenants) -> None:
    def held() -> dict[str, str]:
        data: dict[str, str] = tenants.get("secret", "loci-api-keys", "-n", "loci-keyed").get("data", {})
        return data

    tenants.apply("keyed", apiKeys=[{"name": "one"}, {"name": "own", "sha256": "a" * 64}])
    tenants.settled("keyed")
    first = held()["one"]
    tenants.apply("keyed", apiKeys=[{"name": "one"}, {"name": "two", "scopes": ["read"]}])
    wait_until(lambda: set(held()) == {"one", "two"}, "both keys are there")
    assert held()["one"] == first
    tenants.apply("keyed", apiKeys=[{"name": "two", "scopes": ["read"]}])
    wait_until(lambda: set(held()) == {"two"}, "one key is gone")
    wait_until(lambda: [k["name"] for k in tenants.record("keyed")["keys"]] == ["two"], "the ingress knows")


@pytest.mark.usefixtures("operator")
def test_deleting_removes_everything_with_policy_delete(tenants: Tenants) -> None:
    tenants.apply("gone", deletionPolicy="Delete")
    tenants.settled("gone")
    tenants.plane.kubectl("delete", "mt", "gone")
    wait_until(lambda: not tenants.exists("secret", "registry-gone", "-n", "loci-system"), "the record is gone")
    wait_until(lambda: not tenants.exists("namespace", "loci-gone"), "the namespace is gone")


@pytest.mark.usefixtures("operator")
def test_a_deletion_that_something_holds_closes_the_ingress_and_repairs_nothing(tenants: Tenants) -> None:
    tenants.apply("held")
    tenants.settled("held")
    hold = '{"metadata": {"finalizers": %s}}'
    tenants.plane.kubectl("patch", "mt", "held", "--type=merge", "-p", hold % '["example.com/hold"]')
    tenants.plane.kubectl("delete", "mt", "held", "--wait=false")
    try:
        wait_until(lambda: tenants.status("held").get("phase") == "Deleting", "the status says so")
        wait_until(lambda: not tenants.exists("secret", "registry-held", "-n", "loci-system"), "the ingress is closed")
        tenants.plane.kubectl("delete", "service", "loci-dataplane", "-n", "loci-held")
        tenants.apply("beside")
        tenants.settled("beside")
        assert not tenants.exists("service", "loci-dataplane", "-n", "loci-held")
    finally:
        tenants.plane.kubectl("patch", "mt", "held", "--type=merge", "-p", hold % "[]")
    wait_until(lambda: not tenants.exists("mt", "held"), "the tenant is gone")


@pytest.mark.usefixtures("operator")
def test_deleting_keeps_namespace_and_volume_with_policy_retain(tenants: Tenants) -> None:
    tenants.apply("kept")
    tenants.settled("kept")
    volume = ("pvc", "data-loci-dataplane-0", "-n", "loci-kept")
    wait_until(lambda: tenants.exists(*volume), "there is a volume claim")
    tenants.plane.kubectl("delete", "mt", "kept")
    wait_until(lambda: not tenants.exists("secret", "registry-kept", "-n", "loci-system"), "the record is gone")
    wait_until(lambda: tenants.names("kept") == set(), "the objects are gone")
    assert tenants.exists("namespace", "loci-kept")
    assert tenants.exists(*volume)


@pytest.mark.usefixtures("operator")
def test_a_new_tenant_does_not_see_data_that_one_of_its_name_left_unless_it_adopts(tenants: Tenants) -> None:
    tenants.apply("heir")
    tenants.settled("heir")
    tenants.plane.kubectl("delete", "mt", "heir")
    wait_until(lambda: tenants.names("heir") == set(), "the objects are gone")
    tenants.apply("heir")
    wait_until(lambda: tenants.condition("heir", "Ready").get("reason") == "RetainedDataExists", "it is refused")
    assert tenants.names("heir") == set()
    tenants.apply("heir", annotations={"loci.dev/adopt": "true"})
    tenants.settled("heir")


@pytest.mark.usefixtures("operator")
def test_a_namespace_of_others_is_never_taken_over(tenants: Tenants) -> None:
    tenants.plane.kubectl("create", "namespace", "loci-foreign")
    tenants.apply("foreign")
    wait_until(lambda: tenants.condition("foreign", "Ready").get("reason") == "RetainedDataExists", "it is refused")
    assert "loci.dev/tenant" not in tenants.get("namespace", "loci-foreign")["metadata"]["labels"]


def test_a_tenant_that_cannot_be_made_does_not_stop_another(tenants: Tenants, operator: Path) -> None:
    quota = {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "none"},
        "spec": {"hard": {"services": "0"}},
    }
    tenants.apply("poisoned")
    tenants.settled("poisoned")
    tenants.plane.kubectl("apply", "-n", "loci-poisoned", "-f", "-", stdin=json.dumps(quota))
    tenants.plane.kubectl("delete", "service", "loci-dataplane", "-n", "loci-poisoned")
    wait_until(lambda: "reconcile failed, retrying" in operator.read_text(), "it is refused")
    tenants.apply("healthy")
    tenants.settled("healthy")
    assert tenants.condition("poisoned", "Ready")["reason"] == "Retrying"
    tenants.plane.kubectl("delete", "quota", "none", "-n", "loci-poisoned")
    tenants.settled("poisoned")
