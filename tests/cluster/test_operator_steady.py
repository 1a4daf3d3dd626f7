"""A steady state writes nothing: not on resyncs, not on a restart. Each test runs the only operator there is."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from loci_dev.cluster.tenants import Tenants
from loci_dev.processes import wait_until


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


def test_a_steady_state_writes_nothing(tenants: Tenants, start_operator: Callable[..., Any]) -> None:
    with start_operator(LOCI_RESYNC_SECONDS="0.2") as log:
        tenants.apply("steady")
        tenants.settled("steady")
        wait_until(lambda: _is_quiet(log), "the operator is quiet")
        before, said = versions(tenants, "steady"), log.read_text().count('"applied"')
        tenants.apply("marker")  # many resyncs go by until this is done
        tenants.settled("marker")
        wait_until(lambda: _is_quiet(log), "the operator is quiet again")
        assert versions(tenants, "steady") == before
        assert log.read_text().count('"tenant_id":"steady"') == said


def test_a_restart_writes_nothing_and_its_absence_changes_nothing(
    tenants: Tenants, start_operator: Callable[..., Any]
) -> None:
    with start_operator() as log:
        tenants.apply("lasting")
        tenants.settled("lasting")
        wait_until(lambda: _is_quiet(log), "the operator is quiet")
    before = versions(tenants, "lasting")
    with start_operator(LOCI_RESYNC_SECONDS="0.2") as log:
        tenants.apply("marker")
        tenants.settled("marker")
        assert versions(tenants, "lasting") == before
        assert '"tenant_id":"lasting"' not in log.read_text()


def _is_quiet(log: Path) -> bool:
    """Whether nothing was logged for half a second."""
    return time.time() - log.stat().st_mtime > 0.5
