"""Tenants' volumes on a real API server: their size, their loss, and why one or a pod does not come to be."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from loci_dev.cluster.controlplane import ControlPlane
from loci_dev.cluster.tenants import Tenants
from loci_dev.rigs.processes import wait_until

CLAIM = "data-loci-dataplane-0"


@pytest.fixture(autouse=True, scope="module")
def classes(plane: ControlPlane) -> Iterator[None]:
    """Another class, whose volumes do not grow."""
    standard = json.loads(plane.kubectl("get", "storageclass", "standard", "-o", "json"))
    fixed = {**standard, "metadata": {"name": "fixed"}, "allowVolumeExpansion": False}
    plane.kubectl("apply", "-f", "-", stdin=json.dumps(fixed))
    yield
    plane.kubectl("delete", "storageclass", "fixed")


@pytest.fixture
def no_default(plane: ControlPlane) -> Iterator[None]:
    """For the length of a test, no class is the default."""
    default = "storageclass.kubernetes.io/is-default-class"
    plane.kubectl("annotate", "storageclass", "standard", f"{default}-")
    yield
    plane.kubectl("annotate", "storageclass", "standard", f"{default}=true")


def claim(tenants: Tenants, name: str) -> dict[str, Any]:
    return tenants.get("pvc", CLAIM, "-n", f"loci-{name}")


def with_volume(tenants: Tenants, name: str, class_name: str = "standard", **spec: Any) -> None:
    tenants.apply(name, storage={"storageClassName": class_name}, **spec)
    wait_until(lambda: "size" in tenants.status(name).get("data", {}), "it has a volume")


def reason(tenants: Tenants, name: str, condition: str) -> str:
    return str(tenants.condition(name, condition).get("reason"))


@pytest.mark.usefixtures("operator")
def test_the_volume_grows_with_the_tier_where_its_class_lets_it(tenants: Tenants) -> None:
    with_volume(tenants, "growing")
    assert tenants.condition("growing", "VolumeReady")["status"] == "True"
    tenants.apply("growing", storage={"storageClassName": "standard"}, tier="enterprise")
    wait_until(lambda: claim(tenants, "growing")["spec"]["resources"]["requests"]["storage"] == "100Gi", "it is asked")
    wait_until(lambda: reason(tenants, "growing", "VolumeReady") == "Expanding", "the condition says so")
    patch = ("patch", "pvc", CLAIM, "-n", "loci-growing", "--subresource=status", "--type=merge")
    tenants.plane.kubectl(*patch, "-p", '{"status": {"capacity": {"storage": "100Gi"}}}')
    wait_until(lambda: tenants.condition("growing", "VolumeReady").get("status") == "True", "it has grown")
    assert tenants.status("growing")["data"]["size"] == "100Gi"


@pytest.mark.usefixtures("operator")
def test_a_volume_that_cannot_grow_says_what_to_do_and_a_smaller_tier_needs_nothing(tenants: Tenants) -> None:
    with_volume(tenants, "stunted", "fixed")
    tenants.apply("stunted", storage={"storageClassName": "fixed"}, tier="enterprise")
    wait_until(lambda: reason(tenants, "stunted", "VolumeReady") == "ExpansionNotSupported", "the condition says so")
    message = tenants.condition("stunted", "VolumeReady")["message"]
    assert "has 10Gi, and 100Gi is wanted, but StorageClass fixed does not expand" in message
    assert "allowVolumeExpansion" in message
    assert reason(tenants, "stunted", "Ready") == "PodNotReady", "it serves all the same"
    tenants.apply("stunted", storage={"storageClassName": "fixed"}, tier="free")
    wait_until(lambda: tenants.condition("stunted", "VolumeReady").get("status") == "True", "10Gi are enough for free")


@pytest.mark.usefixtures("operator", "no_default")
@pytest.mark.parametrize(
    ("name", "storage", "told"),
    [
        ("classless", {}, "the cluster has no default"),
        ("misnamed", {"storageClassName": "fats"}, "StorageClass fats does not exist"),
    ],
)
def test_a_claim_without_a_class_is_told_as_the_cause(
    tenants: Tenants, name: str, storage: dict[str, str], told: str
) -> None:
    tenants.apply(name, storage=storage)
    wait_until(lambda: reason(tenants, name, "Ready") == "StorageClassMissing", "Ready tells the cause")
    assert told in tenants.condition(name, "DataPlaneReady")["message"]
    assert "StorageClassMissing" in tenants.plane.kubectl("get", "mt", name)
    wait_until(lambda: "StorageClassMissing" in tenants.plane.kubectl("describe", "mt", name), "an event tells it")


@pytest.mark.usefixtures("operator")
def test_a_pod_that_is_over_quota_says_so(tenants: Tenants) -> None:
    tenants.apply("greedy", tier="free", resources={"requests": {"memory": "2Gi"}})
    wait_until(lambda: reason(tenants, "greedy", "Ready") == "QuotaExceeded", "Ready tells the cause")
    message = tenants.condition("greedy", "Ready")["message"]
    assert "exceeded quota: loci-dataplane" in message
    assert "Lower spec.resources" in message
    tenants.apply("greedy", tier="free", resources={"requests": {"memory": "256Mi"}})
    wait_until(lambda: tenants.exists("pod", "loci-dataplane-0", "-n", "loci-greedy"), "the smaller pod is made")
    wait_until(lambda: reason(tenants, "greedy", "Ready") != "QuotaExceeded", "the cause is gone")


def accept(tenants: Tenants, name: str) -> None:
    """Run the command that the condition gives."""
    command = tenants.condition(name, "StoresReady")["message"].partition("kubectl ")[2]
    tenants.plane.kubectl(*command.split())


@pytest.mark.usefixtures("operator")
def test_lost_data_is_told_and_the_tenant_stays_out_of_service_until_that_is_acknowledged(tenants: Tenants) -> None:
    with_volume(tenants, "bereft", apiKeys=[{"name": "one"}])
    first = tenants.status("bereft")["data"]["id"]
    tenants.plane.kubectl("annotate", "namespace", "loci-bereft", "loci.dev/allow-delete=true")
    tenants.plane.kubectl("delete", "namespace", "loci-bereft", "--timeout=60s")
    wait_until(lambda: reason(tenants, "bereft", "Ready") == "DataLost", "it says so")
    assert tenants.status("bereft")["phase"] == "Failed"
    wait_until(lambda: tenants.record("bereft")["state"] == "unavailable", "the ingress refuses")
    assert not tenants.exists("statefulset", "loci-dataplane", "-n", "loci-bereft"), "an empty volume would be made"
    accept(tenants, "bereft")
    wait_until(lambda: tenants.status("bereft")["data"]["id"] != first, "the new volume is recorded")
    wait_until(lambda: tenants.record("bereft")["state"] == "active", "it serves again")
    second = tenants.status("bereft")["data"]["id"]
    # The annotation is still there, and covers no other loss.
    tenants.plane.kubectl("delete", "pvc", CLAIM, "-n", "loci-bereft", "--wait=false")
    tenants.plane.kubectl("delete", "pod", "loci-dataplane-0", "-n", "loci-bereft", "--grace-period=0", "--force")
    wait_until(lambda: reason(tenants, "bereft", "Ready") == "DataLost", "the second loss is told too")
    assert second in tenants.condition("bereft", "StoresReady")["message"]
    wait_until(lambda: tenants.record("bereft")["state"] == "unavailable", "the ingress refuses")


@pytest.mark.usefixtures("operator")
def test_a_volume_that_outlives_its_set_is_not_lost(tenants: Tenants) -> None:
    with_volume(tenants, "unharmed")
    held = tenants.status("unharmed")["data"]["id"]
    tenants.plane.kubectl("delete", "statefulset", "loci-dataplane", "-n", "loci-unharmed")
    wait_until(lambda: tenants.exists("statefulset", "loci-dataplane", "-n", "loci-unharmed"), "the set is back")
    assert tenants.status("unharmed")["data"]["id"] == held
    assert reason(tenants, "unharmed", "StoresReady") == "Applied"
