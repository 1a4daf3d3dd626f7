"""A steady state writes nothing: not on resyncs, not on a restart. Each test runs the only operator there is."""

import itertools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from loci_dev.cluster.tenants import Tenants
from loci_dev.rigs.processes import wait_until

MARKERS = itertools.count()


def _own_fields(document: dict[str, Any]) -> list[Any]:
    return [e for e in document["metadata"]["managedFields"] if e["manager"] == "loci-operator"]


def versions(tenants: Tenants, name: str) -> dict[str, str]:
    objects = [*tenants.children(name), tenants.get("mt", name), tenants.get("namespace", f"loci-{name}")]
    objects.append(tenants.get("secret", f"registry-{name}", "-n", "loci-system"))
    # The controller manager keeps the quota's and the set's status up to date; that is no write of the operator.
    return {
        f"{o['kind']}/{o['metadata']['name']}": json.dumps(_own_fields(o))
        if o["kind"] in {"ResourceQuota", "StatefulSet"}
        else o["metadata"]["resourceVersion"]
        for o in objects
    }


def another_tenant_comes(tenants: Tenants) -> None:
    """Time passes: resyncs go by, and the controllers come to what was asked of them before."""
    marker = f"marker-{next(MARKERS)}"
    tenants.apply(marker)
    tenants.settled(marker)


def nothing_moves(tenants: Tenants, name: str, log: Path) -> bool:
    """Whether the objects and what is said of the tenant are the same before and after another one comes."""

    def look() -> tuple[dict[str, str], int]:
        return versions(tenants, name), log.read_text().count(f'"tenant_id":"{name}"')

    before = look()
    another_tenant_comes(tenants)
    return look() == before


def settle(tenants: Tenants, name: str, log: Path) -> None:
    tenants.apply(name)
    tenants.settled(name)
    wait_until(lambda: nothing_moves(tenants, name, log), f"{name} is at rest")


@pytest.mark.invariant(6)
def test_a_steady_state_writes_nothing(tenants: Tenants, start_operator: Callable[..., Any]) -> None:
    with start_operator(LOCI_RESYNC_SECONDS="0.2") as log:
        settle(tenants, "steady", log)
        assert nothing_moves(tenants, "steady", log)


@pytest.mark.invariant(6)
def test_a_restart_writes_nothing_and_its_absence_changes_nothing(
    tenants: Tenants, start_operator: Callable[..., Any]
) -> None:
    with start_operator() as log:
        settle(tenants, "lasting", log)
    before = versions(tenants, "lasting")
    with start_operator(LOCI_RESYNC_SECONDS="0.2") as log:
        another_tenant_comes(tenants)
        assert versions(tenants, "lasting") == before
        assert '"tenant_id":"lasting"' not in log.read_text()
