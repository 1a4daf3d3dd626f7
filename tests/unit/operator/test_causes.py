"""Why pods and volumes are not ready, from what Kubernetes tells of them."""

from typing import Any

import pytest

from loci_operator.reconcile.causes import creation_problem, not_created, pod_problem, warned
from loci_operator.reconcile.observed import Claim
from loci_operator.reconcile.volumes import is_smaller, not_expandable, unbound, unfit

META = {"namespace": "loci-acme", "name": "loci-dataplane-0"}


def pod(**status: Any) -> dict[str, Any]:
    return {"metadata": META, "status": status}


def container(*, ready: bool = False, **more: Any) -> dict[str, Any]:
    return {"name": "dataplane", "ready": ready, **more}


KILLED = {"terminated": {"reason": "OOMKilled"}}
PODS: dict[str, tuple[dict[str, Any], str | None]] = {
    "evicted": (pod(phase="Failed", reason="Evicted", message="The node was low on memory."), "Evicted"),
    "killed before it crashes": (
        pod(containerStatuses=[container(state={"waiting": {"reason": "CrashLoopBackOff"}}, lastState=KILLED)]),
        "OOMKilled",
    ),
    "killed once, and ready": (pod(containerStatuses=[container(ready=True, lastState=KILLED)]), None),
    "never pulled": (
        pod(containerStatuses=[container(state={"waiting": {"reason": "ErrImageNeverPull"}})]),
        "ErrImageNeverPull",
    ),
    "starting": (pod(containerStatuses=[container(state={"waiting": {"reason": "ContainerCreating"}})]), None),
}


@pytest.mark.parametrize(("seen", "reason"), PODS.values(), ids=PODS.keys())
def test_a_pods_status_gives_the_cause(seen: dict[str, Any], reason: str | None) -> None:
    problem = pod_problem(seen)
    assert (problem.reason if problem else None) == reason


def test_a_pod_that_cannot_be_made_names_the_quota_or_says_where_to_look() -> None:
    refused = 'pods "x" is forbidden: exceeded quota: loci-dataplane, requested: requests.memory=2Gi'
    assert not_created(refused, "loci-acme").reason == "QuotaExceeded"
    assert not_created("violates PodSecurity", "loci-acme").reason == "FailedCreate"


def test_a_deployment_tells_by_its_condition_that_it_cannot_make_pods() -> None:
    condition = {"type": "ReplicaFailure", "status": "True", "message": "exceeded quota: q"}
    found = creation_problem({"metadata": META, "status": {"conditions": [condition]}})
    assert found is not None
    assert found.reason == "QuotaExceeded"
    assert creation_problem({"metadata": META, "status": {"conditions": [{**condition, "status": "False"}]}}) is None


def test_a_warning_of_a_pod_comes_with_advice() -> None:
    found = warned("FailedAttachVolume", "Multi-Attach error", "loci-acme", "p")
    assert found.message.startswith("Multi-Attach error. Check whether another node")


CLAIM = Claim("uid", bound=True, requested="10Gi", capacity="10Gi", class_name="fast")
SIZES = [("10Gi", "100Gi", True), ("100G", "10Gi", False), ("1Ti", "1024Gi", False), ("0.5Gi", "1Gi", True)]


@pytest.mark.parametrize(("size", "than", "expected"), SIZES)
def test_sizes_are_compared_in_bytes(size: str, than: str, *, expected: bool) -> None:
    assert is_smaller(size, than) is expected


def test_a_claim_without_a_volume_tells_the_cause_that_is_known() -> None:
    pending = Claim("uid", bound=False, requested="10Gi", capacity="", class_name="fast")
    classless = Claim("uid", bound=False, requested="10Gi", capacity="", class_name="")
    told = [
        unbound(classless, has_class=False, warning=""),
        unbound(pending, has_class=False, warning=""),
        unbound(pending, has_class=True, warning="no capacity"),
        unbound(pending, has_class=True, warning=""),
    ]
    reasons = [problem.reason if problem else None for problem in told]
    assert reasons == ["StorageClassMissing", "StorageClassMissing", "VolumeNotProvisioned", None]


def test_a_volume_tells_that_it_grows_or_cannot() -> None:
    growing = Claim("uid", bound=True, requested="100Gi", capacity="10Gi", class_name="fast")
    states = [unfit(CLAIM, ""), unfit(growing, ""), unfit(growing, "no space"), not_expandable(CLAIM, "100Gi")]
    reasons = [problem.reason if problem else None for problem in states]
    assert reasons == [None, "Expanding", "ExpansionFailed", "ExpansionNotSupported"]
