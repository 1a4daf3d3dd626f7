"""The custom resource definitions: established, served in this version, and with its schema."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from loci_cli.doctor.findings import Finding, failed, ok, warning
from loci_cli.doctor.installation import Installation
from loci_contract.names import VERSION
from loci_kubernetes.api import Json
from loci_kubernetes.kinds import Kind
from loci_resources.crd import memory_tenant_crd, memory_tier_crd

_KIND: Final = Kind(
    "apiextensions.k8s.io/v1", "CustomResourceDefinition", "customresourcedefinitions", namespaced=False
)
_APPLY: Final = "Apply this version's CRDs: kubectl apply --server-side --force-conflicts -f charts/loci/crds"


async def check(installation: Installation) -> list[Finding]:
    """Compare the CRDs with those of this version."""
    return list(await asyncio.gather(*(_one(installation, crd) for crd in (memory_tenant_crd(), memory_tier_crd()))))


async def _one(installation: Installation, shipped: Json) -> Finding:
    name = shipped["metadata"]["name"]
    return judged(shipped, await installation.api.get(_KIND, name))


def judged(shipped: Json, installed: Json | None) -> Finding:
    """The finding for an installed CRD, None if it is missing."""
    name = f"crd {shipped['metadata']['name']}"
    if installed is None:
        return failed(name, "It is not installed.", _APPLY)
    status = installed.get("status", {})
    if not any(c["type"] == "Established" and c["status"] == "True" for c in status.get("conditions", [])):
        return failed(name, "It is not established.", f"kubectl describe crd {shipped['metadata']['name']}")
    if (version := _version(installed)) is None:
        return failed(name, f"It does not serve version {VERSION}.", _APPLY)
    if old := sorted({*status.get("storedVersions", [])} - {VERSION}):
        fix = f"Rewrite the objects in {VERSION}, then remove the old versions from status.storedVersions."
        return failed(name, f"Objects may be stored in versions that Loci does not read: {', '.join(old)}.", fix)
    if version["schema"] != _version(shipped, served=False, default={})["schema"]:
        return warning(name, f"The schema of {VERSION} differs from this version's.", _APPLY)
    return ok(name, f"It serves and stores {VERSION}, with this version's schema.")


def _version(crd: Json, *, served: bool = True, default: Any = None) -> Any:
    versions = crd["spec"]["versions"]
    return next((v for v in versions if v["name"] == VERSION and (v["served"] or not served)), default)
