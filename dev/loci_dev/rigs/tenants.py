"""Registry records of fictitious tenants, for tests and benchmarks."""

from __future__ import annotations

from typing import Any

from loci_contract import keys
from loci_contract.registry import KeyRecord, Limits, RegistryRecord, Scope

LIMITS = Limits(requests_per_minute=600, burst=100, max_memories=1000, max_graph_nodes=1000)


def key_record(key: str, *scopes: Scope, **more: Any) -> KeyRecord:
    """Return the record of an API key, with read and write scope by default."""
    allowed = frozenset(scopes or (Scope.READ, Scope.WRITE))
    return KeyRecord(**{"name": "default", "sha256": keys.sha256(key), "scopes": allowed, **more})


def record(tenant: str, *keys_: KeyRecord, **more: Any) -> RegistryRecord:
    """Return a tenant's registry record."""
    fields = {"tier": "free", "limits": LIMITS, "upstream": "127.0.0.1:9", "ingress_token": f"token-of-{tenant}"}
    return RegistryRecord(**{"tenant": tenant, "keys": keys_, **fields, **more})
