"""A real control plane with what the chart guards it by, and Loci's processes under their own accounts and rules."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from loci_contract.names import SYSTEM_NAMESPACE
from loci_dev import chart
from loci_dev.cluster.accounts import account
from loci_dev.cluster.controlplane import ControlPlane, control_plane
from loci_dev.cluster.tenants import Tenants
from loci_dev.rigs.pod import answers
from loci_dev.rigs.processes import free_port, running

DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"


def storage_class(name: str, *annotations: str, expands: bool = True) -> dict[str, Any]:
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": name, "annotations": dict.fromkeys(annotations, "true")},
        "provisioner": "kubernetes.io/host-path",
        "allowVolumeExpansion": expands,
    }


StartOperator = Callable[..., AbstractContextManager[Path]]


@pytest.fixture(scope="session")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    with control_plane(tmp_path_factory.mktemp("plane")) as running_plane:
        running_plane.kubectl("create", "namespace", SYSTEM_NAMESPACE)
        running_plane.kubectl("apply", "--server-side", "-f", str(chart.CHART / "crds"))
        running_plane.kubectl("wait", "crd", "--all", "--for=condition=Established", "--timeout=30s")
        running_plane.kubectl("apply", "-f", str(chart.CHART / "files" / "tiers.yaml"))
        items = [entry for entry in chart.render() if entry["kind"].startswith("ValidatingAdmissionPolicy")]
        guards = {"apiVersion": "v1", "kind": "List", "items": items}
        running_plane.kubectl("apply", "-f", "-", stdin=json.dumps(guards))
        # Its volumes are folders, which the controller manager makes.
        running_plane.kubectl("apply", "-f", "-", stdin=json.dumps(storage_class("standard", DEFAULT_CLASS)))
        yield running_plane


@pytest.fixture(scope="session")
def start_operator(plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> StartOperator:
    """Starts the operator as its own process; gives its log."""
    kubeconfig = account(plane, "operator")

    @contextmanager
    def start(**settings: str) -> Iterator[Path]:
        port, log = free_port(), tmp_path_factory.mktemp("operator") / "operator.log"
        environment = {
            "KUBECONFIG": str(kubeconfig),
            "LOCI_IMAGE": "loci:test",
            "LOCI_EMBEDDER_URL": "http://loci-embedder.loci-system.svc:8081",
            "LOCI_HEALTH_PORT": str(port),
            **settings,
        }

        def is_in_sync() -> bool:
            return answers(f"http://127.0.0.1:{port}/healthz")() and "caches synced" in log.read_text()

        log.with_suffix(".port").write_text(str(port))
        command = [sys.executable, "-m", "loci_operator"]
        with running(command, log, ready=is_in_sync, environment=environment) as process:
            log.with_suffix(".pid").write_text(str(process.pid))
            yield log

    return start


@pytest.fixture(scope="module")
def operator(start_operator: StartOperator) -> Iterator[Path]:
    """A running operator's log."""
    with start_operator() as log:
        yield log


@pytest.fixture
def tenants(plane: ControlPlane) -> Iterator[Tenants]:
    """Tenants that go when the test ends."""
    tenants = Tenants(plane)
    yield tenants
    for name in tenants.made:
        plane.kubectl("delete", "mt", name, "--ignore-not-found")
        if plane.kubectl("get", "namespace", f"loci-{name}", "--ignore-not-found", "-o", "name"):
            # The guard of namespaces learns of the tenant's end by a watch of its own.
            plane.kubectl("annotate", "namespace", f"loci-{name}", "loci.dev/allow-delete=true")
            plane.kubectl("delete", "namespace", f"loci-{name}", "--ignore-not-found", "--wait=false")
