"""A change of the platform reaches tenants without a restart, or in waves; each test runs the only operator."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from loci_dev.cluster.tenants import Tenants
from loci_dev.rigs.processes import wait_until


def level_of(tenants: Tenants, name: str) -> str:
    data = tenants.get("configmap", "loci-dataplane", "-n", f"loci-{name}")["data"]
    return str(data["log-level"])


def test_another_log_level_reaches_the_pods_file_and_restarts_nothing(
    tenants: Tenants, start_operator: Callable[..., Any], tmp_path: Path
) -> None:
    level = tmp_path / "log-level"
    level.write_text("info")
    arguments = ("statefulset", "loci-dataplane", "-n", "loci-verbose")
    with start_operator(LOCI_LOG_LEVEL_FILE=str(level)):
        tenants.apply("verbose")
        tenants.settled("verbose")
        generation = tenants.get(*arguments)["metadata"]["generation"]
        assert level_of(tenants, "verbose") == "info"
        level.write_text("debug")
        wait_until(lambda: level_of(tenants, "verbose") == "debug", "the pod's file says so")
    level.write_text("info")
    with start_operator(LOCI_LOG_LEVEL_FILE=str(level)):
        wait_until(lambda: level_of(tenants, "verbose") == "info", "a restarted operator says so too")
    assert tenants.get(*arguments)["metadata"]["generation"] == generation


FLEET = [f"fleet-{number}" for number in range(6)]
POD = "loci-dataplane-0"


def image_of(tenants: Tenants, name: str) -> str:
    found = tenants.get("pods", "-n", f"loci-{name}")["items"]
    return str(found[0]["spec"]["containers"][0]["image"]) if found else ""


def updated(tenants: Tenants, image: str) -> set[str]:
    return {name for name in FLEET if image_of(tenants, name) == image}


def make_ready(tenants: Tenants, name: str, **status: Any) -> None:
    """What a kubelet says of a pod that is ready, or of one that is not."""
    ready = {"type": "Ready", "status": "False" if status else "True"}
    patch = {"status": {"phase": "Running", "conditions": [ready], **status}}
    tenants.plane.kubectl(
        "patch", "pod", POD, "-n", f"loci-{name}", "--subresource=status", "--type=merge", "-p", json.dumps(patch)
    )


def all_serve(tenants: Tenants, names: list[str]) -> None:
    for name in names:
        tenants.apply(name)
    wait_until(lambda: all(image_of(tenants, name) for name in names), "there are pods")
    for name in names:
        make_ready(tenants, name)
    wait_until(lambda: all(tenants.status(name).get("phase") == "Ready" for name in names), "all serve")


def reason(tenants: Tenants, name: str) -> str:
    return str(tenants.condition(name, "UpToDate").get("reason"))


CRASHES = {"name": "dataplane", "image": "loci:2", "imageID": "", "ready": False, "restartCount": 3}
CRASHED = {"containerStatuses": [{**CRASHES, "state": {"waiting": {"reason": "CrashLoopBackOff"}}}]}


def test_another_image_reaches_tenants_in_waves_and_stops_at_a_failure(
    tenants: Tenants, start_operator: Callable[..., Any]
) -> None:
    first, canary, pinned = FLEET[0], FLEET[4], FLEET[5]
    with start_operator():
        all_serve(tenants, FLEET)
        tenants.plane.kubectl("annotate", "mt", canary, "loci.dev/canary=true")
        tenants.plane.kubectl("annotate", "mt", pinned, "loci.dev/pin=true")
        wait_until(lambda: reason(tenants, pinned) == "Pinned", "it is pinned")
    with start_operator(LOCI_IMAGE="loci:2", LOCI_ROLLOUT_AT_ONCE="2"):
        wait_until(lambda: canary in updated(tenants, "loci:2"), "the canary is updated")
        wait_until(lambda: reason(tenants, first) == "WaitingForTurn", "others wait, and say so")
        assert updated(tenants, "loci:2") == {canary}
        assert tenants.condition(first, "Ready")["status"] == "True"
        make_ready(tenants, canary)
        wait_until(lambda: updated(tenants, "loci:2") == {canary, *FLEET[:2]}, "two come next")
        make_ready(tenants, first, **CRASHED)
        make_ready(tenants, FLEET[1])
        wait_until(lambda: reason(tenants, FLEET[2]) == "RolloutPaused", "the failure stops it")
        assert first in tenants.condition(FLEET[2], "UpToDate")["message"]
        assert updated(tenants, "loci:2") == {canary, *FLEET[:2]}
        # What a tenant asks for itself does not wait.
        tenants.apply(FLEET[3], resources={"limits": {"memory": "1Gi"}})
        wait_until(lambda: FLEET[3] in updated(tenants, "loci:2"), "its own change comes at once")
        make_ready(tenants, FLEET[3])
    with start_operator(LOCI_IMAGE="loci:3", LOCI_ROLLOUT_AT_ONCE="2"):  # the correction
        wait_until(lambda: first in updated(tenants, "loci:3"), "the one that failed is corrected at once")
        make_ready(tenants, first)
        wait_until(lambda: canary in updated(tenants, "loci:3"), "the canary comes first again")
        make_ready(tenants, canary)
        for _ in range(2):
            wait_until(lambda: len(unready(tenants)) > 0, "more come")
            for name in unready(tenants):
                make_ready(tenants, name)
        wait_until(lambda: updated(tenants, "loci:3") == set(FLEET[:5]), "all but the pinned one have it")
        assert image_of(tenants, pinned) == "loci:test"
        tenants.plane.kubectl("annotate", "mt", pinned, "loci.dev/pin-")
        wait_until(lambda: image_of(tenants, pinned) == "loci:3", "it follows once it is not pinned")


def unready(tenants: Tenants) -> list[str]:
    pods = {name: tenants.get("pods", "-n", f"loci-{name}")["items"] for name in FLEET}
    return [name for name, found in pods.items() if found and found[0]["status"]["phase"] == "Pending"]
