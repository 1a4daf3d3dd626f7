"""DNS: the names of the platform's Services and of its stores resolve."""

from __future__ import annotations

import asyncio
import socket
from typing import Final

from loci_cli.doctor.checks.addresses import of_stores
from loci_cli.doctor.checks.stores import RUN_INSIDE
from loci_cli.doctor.findings import Finding, failed, ok, skipped
from loci_cli.doctor.installation import PART_OF_LOCI, Installation
from loci_kubernetes.kinds import Kind

_NAME: Final = "dns"
_SERVICE: Final = Kind("v1", "Service", "services")


async def check(installation: Installation) -> list[Finding]:
    """Resolve the names that can be resolved from here."""
    services = await installation.api.list(_SERVICE, installation.namespace, labelSelector=PART_OF_LOCI)
    names = {f"{service['metadata']['name']}.{installation.namespace}.svc" for service in services}
    names |= {address.host for address in await of_stores(installation)}
    tried = sorted(name for name in names if installation.reaches(name))
    if not tried:
        return [skipped(_NAME, "All names are the cluster's own.", RUN_INSIDE)]
    resolved = await asyncio.gather(*(_resolves(name) for name in tried))
    return [judged(dict(zip(tried, resolved, strict=True)))]


def judged(resolved: dict[str, bool]) -> Finding:
    """The finding for names, and whether each resolves."""
    if unknown := [name for name, is_known in resolved.items() if not is_known]:
        fix = "Check the cluster's DNS (kube-dns or CoreDNS), network policies to port 53, and clusterDomain."
        return failed(_NAME, f"These names do not resolve: {', '.join(unknown)}.", fix)
    return ok(_NAME, f"{len(resolved)} names resolve.")


async def _resolves(name: str) -> bool:
    try:
        return bool(await asyncio.get_running_loop().getaddrinfo(name, None, type=socket.SOCK_STREAM))
    except (OSError, UnicodeError):  # the latter: a label is too long or empty
        return False
