"""A tenant's share of a Chroma server: its collection, and what the gate before the server knows of it.

The operator creates the collection and writes the record; the gate reads records; the tenant's data plane uses the
collection by its id with the token whose hash the record has.
"""

from __future__ import annotations

from typing import Final
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from loci_contract.registry import Sha256

API: Final = "/api/v2"
COLLECTIONS: Final = f"{API}/tenants/default_tenant/databases/default_database/collections"
"""Path of the collections: Chroma's tenants and databases isolate nothing, so Loci uses the default ones."""
HEARTBEAT: Final = f"{API}/heartbeat"
PREFLIGHT: Final = f"{API}/pre-flight-checks"
"""Where Chroma's client reads the server's limits before its first write."""
SPACE: Final = {"hnsw": {"space": "cosine"}}
"""Configuration of every collection."""

REGISTRY_COLLECTION: Final = "collection"
"""The value of LABEL_REGISTRY on a collection's Secret: what the gate watches."""
_NAME_PREFIX: Final = "tenant-"


class CollectionRecord(BaseModel):
    """Which token opens which collection."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    tenant: str
    collection: UUID
    token_sha256: Sha256


def collection_name(tenant: str) -> str:
    """The name of the tenant's collection on the server."""
    return f"{_NAME_PREFIX}{tenant}"


def record_secret(tenant: str) -> str:
    """The name of the Secret with the tenant's CollectionRecord, in the system namespace."""
    return f"collection-{tenant}"
