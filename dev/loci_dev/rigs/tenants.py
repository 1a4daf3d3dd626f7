"""Made-up tenants as the registry knows them, for tests and benches."""

from __future__ import annotations

from typing import Any

from loci_contract import keys
from loci_contract.registry import KeyRecord, Limits, RegistryRecord, Scope

LIMITS = Limits(requests_per_minute=600, burst=100, max_memories=1000, max_graph_nodes=1000)


def key_record(key: str, *scopes: Scope, **more: Any) -> KeyRecord:
    """How the registry knows an API key; it may read and write unless told otherwise."""
    allowed = frozenset(scopes or (Scope.READ, Scope.WRITE))
    return KeyRecord(**{"name": "default", "sha256": keys.sha256(key), "scopes": allowed, **more})


def record(tenant: str, *keys_: KeyRecord, **more: Any) -> RegistryRecord:
    """A tenant's registry record."""
    fields = {"tier": "free", "limits": LIMITS, "upstream": "127.0.0.1:9", "ingress_token": f"token-of-{tenant}"}
    return RegistryRecord(**{"tenant": tenant, "keys": keys_, **fields, **more})
