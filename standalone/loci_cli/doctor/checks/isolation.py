"""Isolation: neither a store nor a tenant's pod serves a caller without credentials.

These are the prober's attempts that need no tenant of their own; `prober.enabled` repeats them all every minute. An
address that cannot be reached from here counts as closed.
"""

from __future__ import annotations

import asyncio
from typing import Final

from loci_cli.doctor.checks.addresses import of_stores
from loci_cli.doctor.checks.stores import RUN_INSIDE
from loci_cli.doctor.findings import Finding, failed, ok, skipped
from loci_cli.doctor.installation import Installation
from loci_contract.names import DATAPLANE_PORT, namespace
from loci_kubernetes.kinds import TENANT
from loci_prober import direct

_NAME: Final = "isolation"
_ATTEMPTS: Final = {"redis": direct.redis, "postgres": direct.postgres, "chroma": direct.chroma}
_PODS: Final = 20
"""Tenants whose pods are tried."""


async def check(installation: Installation) -> list[Finding]:
    """Try every store and the pods of some tenants."""
    places = {f"store {a.store}": a for a in await of_stores(installation) if installation.reaches(a.host)}
    tried = {name: _ATTEMPTS[a.store](_place(a.host, a.port)) for name, a in places.items()}
    if installation.is_inside:
        names = [tenant["metadata"]["name"] for tenant in await installation.api.list(TENANT)][:_PODS]
        tried |= {f"tenant {n}": direct.pod(f"loci-dataplane.{namespace(n)}.svc:{DATAPLANE_PORT}") for n in names}
    if not tried:
        return [skipped(_NAME, "Stores and pods can be reached from within the cluster alone.", RUN_INSIDE)]
    return [judged(dict(zip(tried, await asyncio.gather(*tried.values()), strict=True)))]


def judged(served: dict[str, bool]) -> Finding:
    """The finding for places, and whether each served a caller without credentials."""
    if open_ := [place for place, is_open in served.items() if is_open]:
        fix = "Close it at once: set its password or token, and see docs/runbooks/LociIsolationBroken.md."
        return failed(_NAME, f"Served without credentials: {', '.join(open_)}.", fix)
    return ok(_NAME, f"{len(served)} stores and pods refuse callers without credentials, or are closed to this one.")


def _place(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
