"""Lookup of MemoryTenant objects."""

from __future__ import annotations

from typing import Final

from loci_contract.names import GROUP
from loci_kubernetes.api import Api
from loci_kubernetes.kinds import TENANT
from loci_resources.base import ObjectMeta

PURGE: Final = f"{GROUP}/stores"
"""Finalizer of tenants with data outside the cluster's objects: it goes when that was removed or is to stay."""


async def is_there(api: Api, metadata: ObjectMeta) -> bool:
    """Whether this tenant still exists, by uid: another tenant may have its name by now."""
    found = await api.get(TENANT, metadata.name)
    return found is not None and found["metadata"]["uid"] == metadata.uid


async def set_finalizer(api: Api, metadata: ObjectMeta, *, present: bool) -> None:
    """Add or remove the finalizer of this tenant object; ApiError 409 if it has changed since it was read."""
    found = await api.get(TENANT, metadata.name)
    if found is None or found["metadata"]["uid"] != metadata.uid:
        return
    held = found["metadata"].get("finalizers", [])
    if (PURGE in held) is present:
        return
    finalizers = [*held, PURGE] if present else [name for name in held if name != PURGE]
    version = found["metadata"]["resourceVersion"]
    await api.merge(TENANT, metadata.name, {"metadata": {"resourceVersion": version, "finalizers": finalizers}})
