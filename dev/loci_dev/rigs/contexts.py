"""Contexts of an example tenant, as the operator's builders take them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from loci_contract.keys import sha256
from loci_contract.registry import KeyRecord, Scope
from loci_operator.specs.context import Context, Platform
from loci_operator.specs.stores import (
    ChromaAccess,
    DedicatedStores,
    Neo4jAccess,
    Neo4jSettings,
    PostgresAccess,
    RedisAccess,
    ServerSettings,
    StoreAccess,
)
from loci_resources.base import ObjectMeta
from loci_resources.derived import effective_limits
from loci_resources.shipped import default_tiers
from loci_resources.storage import Storage
from loci_resources.tenant import MemoryTenant, MemoryTenantSpec
from loci_resources.tier import StorageProfile

_TIERS: Final = {tier.metadata.name: tier for tier in default_tiers()}


def context(tier: str = "pro", **spec: Any) -> Context:
    """A tenant of a tier with these spec fields, embedded."""
    metadata = ObjectMeta(name="acme", uid="0000-1111", generation=1)
    tenant = MemoryTenant(metadata=metadata, spec=MemoryTenantSpec(tier=tier, **spec))
    key = KeyRecord(name="default", sha256=sha256("sk-acme-key"), scopes=frozenset(Scope))
    platform = Platform(
        image="loci:1.0", embedder_url="http://loci-embedder.loci-system.svc:8081", system_namespace="loci-system"
    )
    return Context(
        tenant=tenant,
        tier=_TIERS[tier],
        limits=effective_limits(tenant, _TIERS[tier]),
        platform=platform,
        keys=(key,),
        generated_keys={"default": "sk-acme-key"},
        ingress_token="token-of-acme",  # noqa: S106 - made up
    )


POSTGRES: Final = {
    "to": [{"podSelector": {"matchLabels": {"app.kubernetes.io/component": "postgres"}}}],
    "ports": [{"port": 5432, "protocol": "TCP"}],
}
GATE: Final = {
    "to": [{"podSelector": {"matchLabels": {"app.kubernetes.io/component": "chroma"}}}],
    "ports": [{"port": 8000, "protocol": "TCP"}],
}
CACHE: Final = {
    "to": [{"podSelector": {"matchLabels": {"app.kubernetes.io/component": "cache"}}}],
    "ports": [{"port": 6379, "protocol": "TCP"}],
}
SMALL: Final = {"requests": {"cpu": "10m", "memory": "64Mi"}, "limits": {"memory": "256Mi"}}
DEDICATED: Final = DedicatedStores(
    postgres=ServerSettings(image="postgres:15", resources=SMALL),
    chroma=ServerSettings(image="loci:1.0", resources=SMALL),
    gate=ServerSettings(image="envoy:1", resources=SMALL),
    neo4j=Neo4jSettings(image="neo4j:5-community", resources=SMALL),
    redis=ServerSettings(image="redis:7", resources=SMALL),
)


def shared() -> Context:
    """A tenant on the platform's stores."""
    made = context("pro", storage=Storage(profile=StorageProfile.SHARED))
    access = StoreAccess(
        PostgresAccess("postgresql://tenant_acme:password-of-acme@loci-postgres:5432/loci"),
        ChromaAccess("http://loci-chroma:8000", "token-at-gate", "0c91639f-77b0-409a-a637-f758375a23e5"),
        redis=RedisAccess("redis://tenant-acme:cache-of-acme@loci-cache:6379/0"),
    )
    platform = replace(
        made.platform,
        postgres_egress=(POSTGRES,),
        chroma_egress=(GATE,),
        redis_egress=(CACHE,),
        dedicated=DEDICATED,
    )
    return replace(made, platform=platform, stores=access)


def dedicated() -> Context:
    """A tenant with stores of its own."""
    made = context("enterprise", storage=Storage(profile=StorageProfile.DEDICATED, size="20Gi"))
    access = StoreAccess(
        PostgresAccess(
            "postgresql://tenant_acme:password-of-acme@loci-postgres.loci-acme.svc:5432/loci", "superuser-of-acme"
        ),
        ChromaAccess("http://loci-chroma.loci-acme.svc:8000", "token-at-gate"),
        Neo4jAccess("bolt://loci-neo4j.loci-acme.svc:7687", "graph-of-acme"),
        RedisAccess("redis://loci:cache-of-acme@loci-redis.loci-acme.svc:6379/0"),
    )
    platform = replace(made.platform, postgres_egress=(POSTGRES,), chroma_egress=(GATE,), dedicated=DEDICATED)
    return replace(made, platform=platform, stores=access)
