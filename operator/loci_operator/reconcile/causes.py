"""Diagnose from a pod's status why it is not ready, and what to do about it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

_MESSAGE_MAX: Final = 512
_ADVICE: Final = {
    "Unschedulable": "Add nodes with enough capacity, or lower spec.resources.",
    "OOMKilled": "Raise spec.resources.limits.memory, or choose a larger tier.",
    "CrashLoopBackOff": "Check the container's log: kubectl logs -n {namespace} {pod} --previous.",
    "ErrImagePull": "Check the image name and the node's access to the image registry.",
    "ImagePullBackOff": "Check the image name and the node's access to the image registry.",
    "InvalidImageName": "Correct the image name in the chart values.",
    "CreateContainerConfigError": "Inspect the pod: kubectl describe pod -n {namespace} {pod}.",
    "CreateContainerError": "Inspect the pod: kubectl describe pod -n {namespace} {pod}.",
    "RunContainerError": "Inspect the pod: kubectl describe pod -n {namespace} {pod}.",
}

Pod = Mapping[str, Any]


class Problem(NamedTuple):
    """Why a pod is not ready: a CamelCase reason, and a message that says what to do."""

    reason: str
    message: str


def pod_problem(pod: Pod) -> Problem | None:
    """The first known cause in the pod's status, or None."""
    for reason, detail in (*_unschedulable(pod), *_containers(pod)):
        place = {"namespace": pod["metadata"]["namespace"], "pod": pod["metadata"]["name"]}
        advice = _ADVICE[reason].format(**place)
        return Problem(reason, f"{detail[:_MESSAGE_MAX].rstrip('. ')}. {advice}" if detail else advice)
    return None


def _unschedulable(pod: Pod) -> Iterator[tuple[str, str]]:
    for condition in pod.get("status", {}).get("conditions", ()):
        if condition["type"] == "PodScheduled" and condition.get("reason") == "Unschedulable":
            yield "Unschedulable", condition.get("message", "")


def _containers(pod: Pod) -> Iterator[tuple[str, str]]:
    """Container problems; OOMKilled first, since it causes the crash loop that is reported with it."""
    containers = [c for c in pod.get("status", {}).get("containerStatuses", ()) if not c.get("ready")]
    for container in containers:
        for state in (container.get("state", {}), container.get("lastState", {})):
            if state.get("terminated", {}).get("reason") == "OOMKilled":
                yield "OOMKilled", "The container used more memory than its limit"
    for container in containers:
        waiting = container.get("state", {}).get("waiting", {})
        if waiting.get("reason") in _ADVICE:
            yield waiting["reason"], waiting.get("message", "")
