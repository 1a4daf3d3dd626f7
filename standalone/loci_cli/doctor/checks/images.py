"""Image versions: all of Loci's processes run one image, and so do the tenants' pods after a rollout."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Final

from loci_cli.doctor.findings import Finding, failed, ok, warning
from loci_cli.doctor.installation import DEPLOYMENT, FaultError, Installation
from loci_contract.names import LABEL_TENANT
from loci_kubernetes.api import Json
from loci_kubernetes.kinds import Kind

_NAME: Final = "images"
_STATEFUL_SET: Final = Kind("apps/v1", "StatefulSet", "statefulsets")
_PROCESSES: Final = frozenset({"operator", "admin", "policy", "embedder", "prober", "dataplane"})
"""Containers that run Loci's image, by name."""
_SHOWN: Final = 5


async def check(installation: Installation) -> list[Finding]:
    """Compare the images of the platform's Deployments with each other, then those of tenants with them."""
    platform = await installation.deployments()
    images = images_by_process(platform)
    wanted = await installation.setting("operator", "LOCI_IMAGE")
    found = set(images.values())
    if not images or not wanted:
        raise FaultError("No Deployment runs the operator with LOCI_IMAGE.", "Restore it with `helm upgrade`.")
    if len(found | {wanted}) > 1:
        each = ", ".join(f"{process} {image}" for process, image in sorted(images.items()))
        fix = "Run `helm upgrade` with one image, and undo changes of single Deployments."
        return [failed(_NAME, f"Processes run different images: {each}; the operator's LOCI_IMAGE is {wanted}.", fix)]
    return [ok(_NAME, f"{len(images)} processes run {wanted}."), tenants(await _of_tenants(installation), wanted)]


def images_by_process(workloads: Iterable[Json]) -> dict[str, str]:
    """Image of each container that runs one of Loci's processes."""
    return {
        container["name"]: container["image"]
        for workload in workloads
        for container in workload["spec"]["template"]["spec"]["containers"]
        if container["name"] in _PROCESSES
    }


def tenants(images: Mapping[str, str], wanted: str) -> Finding:
    """The finding for tenants' images, by tenant."""
    by_image: dict[str, list[str]] = defaultdict(list)
    for tenant, image in sorted(images.items()):
        by_image[image].append(tenant)
    by_image.pop(wanted, None)
    if not by_image:
        return ok(f"{_NAME} of tenants", f"{len(images)} tenants run {wanted}.")
    old = "; ".join(f"{image}: {', '.join(names[:_SHOWN])} ({len(names)})" for image, names in by_image.items())
    fix = "Wait for the rollout; if it has stopped, the tenants' condition UpToDate says why."
    return warning(f"{_NAME} of tenants", f"Tenants run other images than {wanted}: {old}.", fix)


async def _of_tenants(installation: Installation) -> dict[str, str]:
    listed = await asyncio.gather(
        *(installation.api.list(kind, labelSelector=LABEL_TENANT) for kind in (DEPLOYMENT, _STATEFUL_SET))
    )
    workloads = [workload for workloads in listed for workload in workloads]
    return {
        workload["metadata"]["labels"][LABEL_TENANT]: image
        for workload in workloads
        for image in images_by_process([workload]).values()
    }
