"""Diagnose why a tenant's pods are not ready, and say what to do about it. Pure.

The causes are in three places: the status of a pod, the status of a Deployment that cannot make pods, and the warnings
(Events) of controllers, which say why a StatefulSet cannot make its pod or a claim gets no volume.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

_MESSAGE_MAX: Final = 512
_INSPECT: Final = "Inspect the pod: kubectl describe pod -n {namespace} {pod}."
_ADVICE: Final = {
    "Unschedulable": "Add nodes with enough capacity, or lower spec.resources.",
    "OOMKilled": "Raise spec.resources.limits.memory, or choose a larger tier.",
    "Evicted": "Add nodes with enough memory and disk; the pod is replaced.",
    "CrashLoopBackOff": "Check the container's log: kubectl logs -n {namespace} {pod} --previous.",
    "ErrImagePull": "Check the image name and the node's access to the image registry.",
    "ImagePullBackOff": "Check the image name and the node's access to the image registry.",
    "ErrImageNeverPull": "Load the image into the node, or change the chart's image.pullPolicy.",
    "InvalidImageName": "Correct the image name in the chart values.",
    "CreateContainerConfigError": _INSPECT,
    "CreateContainerError": _INSPECT,
    "RunContainerError": _INSPECT,
    "FailedMount": "Check the volume and the node's storage driver: kubectl describe pod -n {namespace} {pod}.",
    "FailedAttachVolume": "Check whether another node still holds the volume: kubectl get volumeattachments.",
    "FailedCreatePodSandBox": "Check the node's container runtime and network plugin.",
}
_QUOTA: Final = "exceeded quota"
"""The API server's text for a ResourceQuota; its reason is Forbidden, as for any other refusal."""
_QUOTA_ADVICE: Final = (
    "Lower spec.resources, or choose a tier whose namespaceQuota has room: kubectl describe quota -n {namespace}."
)
_CREATE_ADVICE: Final = "Check the admission policies and webhooks of the cluster, and spec.resources."

Pod = Mapping[str, Any]


class Problem(NamedTuple):
    """Why a pod is not ready: a CamelCase reason, and a message that says what to do."""

    reason: str
    message: str


def pod_problem(pod: Pod) -> Problem | None:
    """The first known cause in the pod's status, or None."""
    for reason, detail in (*_unschedulable(pod), *_evicted(pod), *_containers(pod)):
        return warned(reason, detail, pod["metadata"]["namespace"], pod["metadata"]["name"])
    return None


def creation_problem(workload: Mapping[str, Any]) -> Problem | None:
    """Why a Deployment cannot make its pods; a StatefulSet tells it by an Event only."""
    for condition in workload.get("status", {}).get("conditions", ()):
        if condition["type"] == "ReplicaFailure" and condition["status"] == "True":
            return not_created(condition.get("message", ""), workload["metadata"]["namespace"])
    return None


def not_created(detail: str, namespace: str) -> Problem:
    """The API server refused a pod; `detail` is its message."""
    if _QUOTA in detail:
        return Problem("QuotaExceeded", _told(detail, _QUOTA_ADVICE.format(namespace=namespace)))
    return Problem("FailedCreate", _told(detail, _CREATE_ADVICE))


def warned(reason: str, detail: str, namespace: str, pod: str) -> Problem:
    """A pod's problem by its reason, which is one of those that there is advice for."""
    return Problem(reason, _told(detail, _ADVICE[reason].format(namespace=namespace, pod=pod)))


def _told(detail: str, advice: str) -> str:
    return f"{detail[:_MESSAGE_MAX].rstrip('. ')}. {advice}" if detail else advice


def _unschedulable(pod: Pod) -> Iterator[tuple[str, str]]:
    for condition in pod.get("status", {}).get("conditions", ()):
        if condition["type"] == "PodScheduled" and condition.get("reason") == "Unschedulable":
            yield "Unschedulable", condition.get("message", "")


def _evicted(pod: Pod) -> Iterator[tuple[str, str]]:
    status = pod.get("status", {})
    if status.get("reason") == "Evicted":
        yield "Evicted", status.get("message", "")


def _containers(pod: Pod) -> Iterator[tuple[str, str]]:
    """Container problems; OOMKilled first, since it causes the crash loop that is reported with it."""
    status = pod.get("status", {})
    found = (*status.get("initContainerStatuses", ()), *status.get("containerStatuses", ()))
    containers = [c for c in found if not c.get("ready")]
    for container in containers:
        for state in (container.get("state", {}), container.get("lastState", {})):
            if state.get("terminated", {}).get("reason") == "OOMKilled":
                yield "OOMKilled", "The container used more memory than its limit"
    for container in containers:
        waiting = container.get("state", {}).get("waiting", {})
        if waiting.get("reason") in _ADVICE:
            yield waiting["reason"], waiting.get("message", "")
