"""Tenants in trouble on a real API server: each tells its cause, and none is in another's way."""

import json
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from loci_dev.cluster.tenants import Tenants
from loci_dev.rigs.processes import wait_until

HELD = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "held", "finalizers": ["example.com/hold"]},
}


@contextmanager
def stuck_namespace(tenants: Tenants, name: str) -> Iterator[None]:
    """The tenant's namespace, deleted and held by a foreign finalizer; gone after the block."""
    namespace = f"loci-{name}"
    tenants.plane.kubectl("apply", "-n", namespace, "-f", "-", stdin=json.dumps(HELD))
    tenants.plane.kubectl("annotate", "namespace", namespace, "loci.dev/allow-delete=true")
    tenants.plane.kubectl("delete", "namespace", namespace, "--wait=false")
    try:
        yield
    finally:
        release = '{"metadata": {"finalizers": null}}'
        tenants.plane.kubectl("patch", "configmap", "held", "-n", namespace, "--type=merge", "-p", release)


def reconciles_of(log: Path, name: str) -> int:
    return len(re.findall(rf'"tenant_id":"{name}"', log.read_text()))


def test_a_namespace_that_is_stuck_says_what_holds_it_and_hinders_nobody(tenants: Tenants, operator: Path) -> None:
    tenants.apply("stuck", apiKeys=[{"name": "one"}, {"name": "two"}])
    tenants.settled("stuck")
    uid = tenants.uid("namespace", "loci-stuck")
    with stuck_namespace(tenants, "stuck"):
        wait_until(lambda: tenants.status("stuck").get("phase") == "Terminating", "the phase says so")
        wait_until(
            lambda: "example.com/hold" in tenants.condition("stuck", "NamespaceReady")["message"],
            "the condition names the finalizer",
        )
        assert tenants.condition("stuck", "Ready")["reason"] == "NamespaceTerminating"
        # What is wanted anew is obeyed all the same.
        tenants.apply("stuck", apiKeys=[{"name": "two"}], suspend=True)
        wait_until(lambda: tenants.record("stuck")["state"] == "suspended", "the ingress refuses")
        assert "one" not in [key["name"] for key in tenants.record("stuck")["keys"]]
        version, lines = tenants.get("mt", "stuck")["metadata"]["resourceVersion"], reconciles_of(operator, "stuck")
        for number in range(3):
            tenants.apply(f"unhindered-{number}")
            tenants.settled(f"unhindered-{number}")
        assert tenants.get("mt", "stuck")["metadata"]["resourceVersion"] == version, "its status moves on its own"
        assert reconciles_of(operator, "stuck") - lines < 3, "it spins"
    wait_until(lambda: tenants.uid("namespace", "loci-stuck") not in {"", uid}, "the namespace is another")
    tenants.settled("stuck")


@pytest.mark.usefixtures("operator")
def test_a_key_that_cannot_be_kept_is_generated_once_and_told_to_nobody(tenants: Tenants) -> None:
    tenants.apply("unkept")
    tenants.settled("unkept")
    quota = {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "none"},
        "spec": {"hard": {"secrets": "0"}},
    }
    tenants.plane.kubectl("apply", "-n", "loci-unkept", "-f", "-", stdin=json.dumps(quota))
    tenants.plane.kubectl("delete", "secret", "loci-api-keys", "-n", "loci-unkept")
    told: set[str] = set()

    def is_refused() -> bool:
        told.update(key["sha256"] for key in tenants.record("unkept")["keys"])
        return tenants.condition("unkept", "Ready").get("reason") == "Retrying"

    before = {key["sha256"] for key in tenants.record("unkept")["keys"]}
    wait_until(is_refused, "it is refused")
    tenants.apply("beside-unkept")
    tenants.settled("beside-unkept")
    is_refused()
    assert told <= before, "the ingress was told of a key that is not kept"
    tenants.plane.kubectl("delete", "quota", "none", "-n", "loci-unkept")
    tenants.settled("unkept")
    wait_until(lambda: tenants.record("unkept")["keys"] != [], "the ingress has the new key")


EXPIRY = "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/apiKeys/items/properties/expiresAt/pattern"


@contextmanager
def schema_of_before(tenants: Tenants) -> Iterator[None]:
    """The CRD as an earlier version had it, which took times that the model does not."""
    path = ("crd", "memorytenants.loci.dev")
    held = tenants.get(*path)["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    expires_at = held["properties"]["spec"]["properties"]["apiKeys"]["items"]["properties"]["expiresAt"]
    if "pattern" not in expires_at:
        yield
        return
    tenants.plane.kubectl("patch", *path, "--type=json", "-p", json.dumps([{"op": "remove", "path": EXPIRY}]))
    try:
        yield
    finally:
        restore = [{"op": "add", "path": EXPIRY, "value": expires_at["pattern"]}]
        tenants.plane.kubectl("patch", *path, "--type=json", "-p", json.dumps(restore))


@pytest.mark.usefixtures("operator")
@pytest.mark.parametrize("time", ["2030-01-01T00:00:00+24:00", "2030-01-01T00:00:00+99:99", "0000-01-01T00:00:00Z"])
def test_a_spec_that_cannot_be_read_restricts_the_tenant_and_says_so(tenants: Tenants, time: str) -> None:
    name = f"unread-{abs(hash(time)) % 1000}"
    tenants.apply(name, apiKeys=[{"name": "removed"}, {"name": "stays"}, {"name": "odd"}])
    tenants.settled(name)
    spec: dict[str, Any] = {"apiKeys": [{"name": "stays"}, {"name": "odd", "expiresAt": time}], "suspend": True}

    def is_taken() -> bool:
        tenants.apply(name, **spec)
        return True

    with schema_of_before(tenants):
        wait_until(lambda: _succeeds(is_taken), "the API server takes it")
    wait_until(lambda: tenants.condition(name, "Ready").get("reason") == "SpecInvalid", "the condition says so")
    record = tenants.record(name)
    assert (record["state"], [key["name"] for key in record["keys"]]) == ("suspended", ["stays"])
    condition, generation = tenants.condition(name, "Ready"), tenants.get("mt", name)["metadata"]["generation"]
    assert condition["observedGeneration"] == tenants.status(name)["observedGeneration"] == generation
    assert "spec.apiKeys.1.expiresAt" in condition["message"]
    tenants.apply(name, apiKeys=[{"name": "stays"}])
    wait_until(lambda: tenants.record(name)["state"] == "active", "it serves again")


def _succeeds(action: Any) -> bool:
    try:
        return bool(action())
    except Exception:  # noqa: BLE001 - the schema takes a moment to be in force
        return False


@pytest.mark.usefixtures("operator")
def test_a_namespace_is_not_deleted_while_its_tenant_exists(tenants: Tenants) -> None:
    tenants.apply("guarded")
    tenants.settled("guarded")
    delete = ("delete", "namespace", "loci-guarded", "--wait=false")
    # The guard learns of tenants by a watch of its own.
    wait_until(
        lambda: not _succeeds(lambda: tenants.plane.kubectl(*delete, "--dry-run=server") or True), "it is guarded"
    )
    with pytest.raises(subprocess.CalledProcessError) as refused:
        tenants.plane.kubectl(*delete)
    assert "delete the tenant instead, or first annotate the namespace with" in refused.value.stderr
    tenants.plane.kubectl("delete", "mt", "guarded")
    wait_until(
        lambda: _succeeds(lambda: tenants.plane.kubectl("delete", "namespace", "loci-guarded", "--wait=false")),
        "a retained namespace can be deleted once its tenant is gone",
    )


def waiting(reason: str, **more: Any) -> dict[str, Any]:
    container = {"name": "dataplane", "image": "loci:test", "imageID": "", "ready": False, "restartCount": 3}
    return {"containerStatuses": [{**container, "state": {"waiting": {"reason": reason, "message": "so"}}, **more}]}


KILLED = {"terminated": {"reason": "OOMKilled", "exitCode": 137}}
CAUSES: dict[str, tuple[dict[str, Any], str]] = {
    "Unschedulable": (
        {"conditions": [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "no CPU"}]},
        "no CPU. Add nodes",
    ),
    "OOMKilled": (waiting("CrashLoopBackOff", lastState=KILLED), "Raise spec.resources.limits.memory"),
    "CrashLoopBackOff": (waiting("CrashLoopBackOff"), "kubectl logs -n loci-ailing"),
    "ImagePullBackOff": (waiting("ImagePullBackOff"), "Check the image"),
}


@pytest.mark.usefixtures("operator")
def test_a_pod_that_is_not_ready_says_why_and_what_to_do(tenants: Tenants) -> None:
    tenants.apply("ailing")
    tenants.settled("ailing")
    pod = ("pod", "loci-dataplane-0", "-n", "loci-ailing")
    wait_until(lambda: tenants.exists(*pod), "there is a pod")
    for reason, (status, advice) in CAUSES.items():
        patch = json.dumps({"status": {"conditions": [], "containerStatuses": [], **status}})
        tenants.plane.kubectl("patch", *pod, "--subresource=status", "--type=merge", "-p", patch)

        def is_told(reason: str = reason) -> bool:
            return tenants.condition("ailing", "Ready").get("reason") == reason

        wait_until(is_told, f"the reason is {reason}")
        assert advice in tenants.condition("ailing", "DataPlaneReady")["message"]
    assert "ImagePullBackOff" in tenants.plane.kubectl("get", "mt", "ailing")


def test_what_the_operator_does_shows_in_its_metrics_without_names(tenants: Tenants, operator: Path) -> None:
    port = operator.with_suffix(".port").read_text()

    def metrics() -> dict[str, float]:
        lines = httpx.get(f"http://127.0.0.1:{port}/metrics").text.splitlines()
        pairs = [line.rsplit(" ", 1) for line in lines if not line.startswith("#")]
        return {name: float(value) for name, value in pairs}

    tenants.apply("measured")
    tenants.settled("measured")
    repairs = 'loci_operator_drift_repairs_total{kind="Service"}'
    before = metrics().get(repairs, 0)
    tenants.plane.kubectl("delete", "service", "loci-dataplane", "-n", "loci-measured")
    wait_until(lambda: metrics().get(repairs, 0) == before + 1, "the repair is counted")
    seen = metrics()
    assert seen['loci_operator_reconcile_duration_seconds_count{outcome="done"}'] > 0
    assert seen['loci_operator_api_calls_total{verb="PATCH"}'] > 12
    assert seen['loci_operator_api_calls_total{verb="WATCH"}'] > 0
    assert {seen["loci_operator_rollout_paused"], seen['loci_operator_rollout_tenants{state="failed"}']} == {0}
    assert not [name for name in seen if "measured" in name]


@pytest.mark.usefixtures("operator")
def test_what_happens_to_a_tenant_is_told_by_events_once(tenants: Tenants) -> None:
    def told() -> list[str]:
        found = tenants.get("events", "-n", "default", "--field-selector=involvedObject.name=eventful")["items"]
        return [event["reason"] for event in sorted(found, key=lambda event: str(event["eventTime"]))]

    tenants.apply("eventful")
    tenants.settled("eventful")
    wait_until(lambda: told() == ["KeyGenerated"], "the key is told")
    tenants.apply("eventful", tier="gold")
    wait_until(lambda: told() == ["KeyGenerated", "UnknownTier"], "the fault is told")
    pod = ("pod", "loci-dataplane-0", "-n", "loci-eventful")
    ready = {"status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}}
    tenants.plane.kubectl("patch", *pod, "--subresource=status", "--type=merge", "-p", json.dumps(ready))
    tenants.apply("eventful")
    wait_until(lambda: "Serving" in told(), "that it serves is told")
    for tier in ("gold", "pro"):
        tenants.apply("eventful", tier=tier)
        generation = tenants.get("mt", "eventful")["metadata"]["generation"]
        wait_until(lambda: tenants.status("eventful")["observedGeneration"] == generation, "it is acted on")  # noqa: B023
    assert told().count("UnknownTier") == told().count("Serving") == 1
    assert "UnknownTier" in tenants.plane.kubectl("describe", "mt", "eventful")
