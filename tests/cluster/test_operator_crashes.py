"""An operator that is killed between every two writes of a reconcile comes to the desired state all the same."""

import base64
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from loci_contract.keys import sha256
from loci_dev.cluster.accounts import account
from loci_dev.cluster.controlplane import ControlPlane
from loci_dev.cluster.tenants import Tenants
from loci_dev.rigs.crashing_operator import CRASHED
from loci_dev.rigs.processes import free_port, running, wait_until

NAME = "crashed"
MOST = 40
Check = Callable[[], None]


@pytest.fixture(scope="module")
def kubeconfig(plane: ControlPlane) -> Path:
    return account(plane, "operator")


@contextmanager
def an_operator(kubeconfig: Path, log: Path, writes: int) -> Iterator[subprocess.Popen[bytes]]:
    environment = {
        "KUBECONFIG": str(kubeconfig),
        "LOCI_IMAGE": "loci:test",
        "LOCI_EMBEDDER_URL": "http://embedder",
        "LOCI_HEALTH_PORT": str(free_port()),
        # As a container that is started again in its pod: it need not wait for its own Lease.
        "LOCI_IDENTITY": "crashing",
    }
    command = [sys.executable, "-m", "loci_dev.rigs.crashing_operator", str(writes)]
    with running(command, log, environment=environment) as process:
        yield process


def through_crashes(kubeconfig: Path, log: Path, done: Callable[[], bool], check: Check) -> int:
    """Run operators that each carry out one write and die before the next, until all is done; how many died."""
    for crashes in range(MOST):
        with an_operator(kubeconfig, log, 1) as process:
            wait_until(lambda: process.poll() is not None or done(), "it died, or is done", 120)
            code = process.poll()
        check()
        if code is None:
            return crashes
        assert code == CRASHED, log.read_text()[-2000:]
    raise AssertionError(f"not done after {MOST} writes")


def stored_keys(tenants: Tenants) -> dict[str, str]:
    found = tenants.plane.kubectl(
        "get", "secret", "loci-api-keys", "-n", f"loci-{NAME}", "--ignore-not-found", "-ojson"
    )
    data = json.loads(found).get("data", {}) if found else {}
    return {name: base64.b64decode(text).decode() for name, text in data.items()}


def test_an_operator_that_dies_between_any_two_writes_loses_and_leaks_nothing(
    tenants: Tenants, kubeconfig: Path, tmp_path: Path
) -> None:
    log, seen = tmp_path / "operator.log", dict[str, str]()

    def has_record() -> bool:
        return tenants.exists("secret", f"registry-{NAME}", "-n", "loci-system")

    def check() -> None:
        """A key is kept before the ingress knows it, and never replaced."""
        kept = stored_keys(tenants)
        for name, key in kept.items():
            assert seen.setdefault(name, key) == key
        if has_record():
            assert {key["sha256"] for key in tenants.record(NAME)["keys"]} <= {sha256(key) for key in kept.values()}

    def is_settled() -> bool:
        generation = tenants.get("mt", NAME)["metadata"]["generation"]
        condition = tenants.condition(NAME, "NamespaceReady")
        return (condition.get("status"), condition.get("observedGeneration")) == ("True", generation)

    tenants.apply(NAME, apiKeys=[{"name": "one"}, {"name": "two"}], deletionPolicy="Delete")
    assert through_crashes(kubeconfig, log, is_settled, check) >= 12
    tenants.apply(NAME, apiKeys=[{"name": "two"}], deletionPolicy="Delete", tier="free", suspend=True)
    revoked: list[bool] = []

    def check_order() -> None:
        """The first write of a change revokes what is no longer allowed."""
        record = tenants.record(NAME)
        revoked.append(record["state"] == "suspended" and [key["name"] for key in record["keys"]] == ["two"])

    assert through_crashes(kubeconfig, log, is_settled, check_order) >= 3
    assert all(revoked)
    tenants.plane.kubectl("delete", "mt", NAME, "--wait=false")
    through_crashes(kubeconfig, log, lambda: not has_record() and not tenants.exists("mt", NAME), lambda: None)
    assert all(key not in log.read_text() for key in seen.values())
