"""What the operator's account may write, on a real API server: all of a tenant, and nothing of anybody else's."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from loci_dev.cluster.controlplane import ControlPlane
from loci_dev.rigs.processes import wait_until

TENANT = Path(__file__).parents[1] / "unit" / "operator" / "golden" / "pro.yaml"
OPERATOR = "system:serviceaccount:loci-system:loci-operator"
ALLOWED = "may write to tenants' namespaces (loci-*)"
REFUSED = (
    "create configmap mine -n kube-system",
    "create secret generic mine -n other",
    "create namespace mine",
    "label namespace kube-system pod-security.kubernetes.io/enforce=privileged",
    "label namespace loci-system pod-security.kubernetes.io/enforce=privileged",
    "create configmap mine -n loci-system",
    "delete secret loci-admin-key -n loci-system",
)


def acme(**fields: Any) -> str:
    """The tenant with these fields, as JSON."""
    return json.dumps(
        {"apiVersion": "loci.dev/v1alpha1", "kind": "MemoryTenant", "metadata": {"name": "acme"}, **fields}
    )


def as_operator(plane: ControlPlane, command: str, stdin: str | None = None) -> str:
    """Why the API server refuses the command to the operator's account; empty when it does not."""
    try:
        plane.kubectl(*command.split(), "--dry-run=server", f"--as={OPERATOR}", stdin=stdin)
    except subprocess.CalledProcessError as error:
        return str(error.stderr)
    return ""


@pytest.fixture(scope="module", autouse=True)
def tenant(plane: ControlPlane) -> None:
    """The objects that the commands below are about, and a policy that is in force."""
    for namespace in ("loci-acme", "other"):
        plane.kubectl("create", "namespace", namespace)
    plane.kubectl("create", "secret", "generic", "registry-acme", "-n", "loci-system")
    plane.kubectl("apply", "-f", "-", stdin=acme(spec={"tier": "pro"}))
    wait_until(lambda: ALLOWED in as_operator(plane, REFUSED[0]), "the admission policy is in force")


@pytest.mark.parametrize("command", REFUSED)
def test_refuses_the_operator_what_is_no_tenants(plane: ControlPlane, command: str) -> None:
    assert ALLOWED in as_operator(plane, command)


def test_lets_the_operator_write_all_that_makes_a_tenant(plane: ControlPlane) -> None:
    assert as_operator(plane, "apply --server-side -f -", TENANT.read_text()) == ""
    assert as_operator(plane, "create namespace loci-other") == ""
    status = acme(status={"phase": "Pending"})
    assert as_operator(plane, "apply --server-side --subresource=status -f -", status) == ""


def test_lets_the_operator_remove_a_tenants_record(plane: ControlPlane) -> None:
    assert as_operator(plane, "delete secret registry-acme -n loci-system") == ""


def test_restricts_nobody_else(plane: ControlPlane) -> None:
    for command in REFUSED:
        plane.kubectl(*command.split(), "--dry-run=server")
