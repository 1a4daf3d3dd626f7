"""Lookup of MemoryTenant objects."""

from __future__ import annotations

from loci_kubernetes.api import Api
from loci_kubernetes.kinds import TENANT
from loci_resources.base import ObjectMeta


async def is_there(api: Api, metadata: ObjectMeta) -> bool:
    """Whether this tenant still exists, by uid: another tenant may have its name by now."""
    found = await api.get(TENANT, metadata.name)
    return found is not None and found["metadata"]["uid"] == metadata.uid
