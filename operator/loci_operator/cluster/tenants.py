"""Tenants' own objects."""

from __future__ import annotations

from loci_kubernetes.api import Api
from loci_kubernetes.kinds import TENANT
from loci_resources.base import ObjectMeta


async def is_there(api: Api, metadata: ObjectMeta) -> bool:
    """Whether this very tenant still exists, and not another of its name."""
    found = await api.get(TENANT, metadata.name)
    return found is not None and found["metadata"]["uid"] == metadata.uid
