"""Why a tenant's pod is not ready, and what to do about it, read from the pod's own status. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

_MESSAGE_MAX: Final = 512
_ADVICE: Final = {
    "Unschedulable": "Add capacity that fits, or lower spec.resources.",
    "OOMKilled": "Raise spec.resources.limits.memory, or choose a larger tier.",
    "CrashLoopBackOff": "Read the container's log: kubectl logs -n {namespace} {pod} --previous.",
    "ErrImagePull": "Check the image's name, and the node's access to its registry.",
    "ImagePullBackOff": "Check the image's name, and the node's access to its registry.",
    "InvalidImageName": "Correct the image's name in the chart's values.",
    "CreateContainerConfigError": "Look at the pod: kubectl describe pod -n {namespace} {pod}.",
    "CreateContainerError": "Look at the pod: kubectl describe pod -n {namespace} {pod}.",
    "RunContainerError": "Look at the pod: kubectl describe pod -n {namespace} {pod}.",
}

Pod = Mapping[str, Any]


class Problem(NamedTuple):
    """What keeps a pod from being ready; `reason` is one word, the message says what to do."""

    reason: str
    message: str


def pod_problem(pod: Pod) -> Problem | None:
    """The first cause that the pod's status tells; None while there is none."""
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
    """Killed for its memory comes before the crash loop that follows from it."""
    containers = [c for c in pod.get("status", {}).get("containerStatuses", ()) if not c.get("ready")]
    for container in containers:
        for state in (container.get("state", {}), container.get("lastState", {})):
            if state.get("terminated", {}).get("reason") == "OOMKilled":
                yield "OOMKilled", "The container used more memory than its limit"
    for container in containers:
        waiting = container.get("state", {}).get("waiting", {})
        if waiting.get("reason") in _ADVICE:
            yield waiting["reason"], waiting.get("message", "")
