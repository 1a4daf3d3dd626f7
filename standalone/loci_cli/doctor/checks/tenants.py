"""Status conditions of every MemoryTenant."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from loci_cli.doctor.findings import Finding, failed, ok, warning
from loci_cli.doctor.installation import Installation
from loci_kubernetes.api import Json
from loci_kubernetes.kinds import TENANT

_NEUTRAL: Final = frozenset({"Ready", "Suspended", "Deleting"})
"""Conditions that are judged apart, or whose value is a wish."""


async def check(installation: Installation) -> list[Finding]:
    """Judge every tenant; those without a fault share one finding."""
    tenants = await installation.api.list(TENANT)
    found = [finding for tenant in tenants for finding in problems(tenant)]
    healthy = len(tenants) - len({finding.name for finding in found})
    return [
        *([ok("tenants", f"{healthy} of {len(tenants)} tenants are as wanted.")] if healthy or not found else []),
        *found,
    ]


def problems(tenant: Json) -> Iterator[Finding]:
    """The findings of a tenant; none when it is as wanted."""
    name, status = tenant["metadata"]["name"], tenant.get("status", {})
    title, fix = f"tenant {name}", f"kubectl describe memorytenant {name}"
    conditions = {condition["type"]: condition for condition in status.get("conditions", [])}
    if not (ready := conditions.get("Ready")):
        yield failed(title, "It has no condition Ready: no operator has reconciled it.", "Check the operator's log.")
    elif tenant["metadata"].get("deletionTimestamp"):
        yield warning(title, f"It is being deleted: {ready.get('message', '')}", fix)
    elif status.get("observedGeneration", 0) < tenant["metadata"]["generation"]:
        yield warning(title, "The operator has not yet carried out its last change.", "Check the operator's log.")
    elif ready["status"] != "True" and ready.get("reason") != "Suspended":
        yield failed(title, _told(ready), fix)
    else:
        yield from (
            warning(title, _told(condition), fix)
            for type_, condition in conditions.items()
            if type_ not in _NEUTRAL and condition["status"] != "True" and ready["status"] == "True"
        )


def _told(condition: Json) -> str:
    return (
        f"{condition['type']} is {condition['status']}, {condition.get('reason', '')}: {condition.get('message', '')}"
    )
