"""Credentials of a tenant's own stores: generated once, kept in Secrets of its namespace, and put in force by its pods.

The Secret counts: what somebody writes into it is in force after a restart of the store. An entry that is missing is
restored as long as the operator remembers it, and generated anew otherwise; PostgreSQL and Neo4j take another password
over when they start.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import unquote, urlsplit

from loci_contract.keys import generate_token
from loci_contract.names import namespace
from loci_operator.cluster.secrets import Secrets
from loci_operator.specs.dedicated import chroma, neo4j, postgres, redis
from loci_operator.specs.dedicated.server import host
from loci_operator.specs.stores import (
    CHROMA_TOKEN,
    NEO4J_PASSWORD,
    POSTGRES_ADMIN,
    POSTGRES_DSN,
    REDIS_URL,
    STORES_SECRET,
    ChromaAccess,
    Neo4jAccess,
    PostgresAccess,
    RedisAccess,
    tenant_dsn,
)


class OwnStores:
    """Access of tenants to stores of their own."""

    def __init__(self, secrets: Secrets, cluster_domain: str) -> None:
        self._secrets = secrets
        self._domain = cluster_domain
        self._known: dict[str, dict[str, str]] = {}

    async def postgres(self, tenant: str) -> PostgresAccess:
        """Access to the tenant's own PostgreSQL."""
        address = postgres.address(self._host(tenant, "postgres"))
        kept = await self._secrets.read(tenant, namespace(tenant), STORES_SECRET)
        admin = await self._secrets.read(tenant, namespace(tenant), "loci-postgres")
        password = self._credential(tenant, POSTGRES_DSN, _password(kept, POSTGRES_DSN))
        superuser = self._credential(tenant, POSTGRES_ADMIN, admin.get(POSTGRES_ADMIN, ""))
        return PostgresAccess(tenant_dsn(address, tenant, password), superuser)

    async def chroma(self, tenant: str) -> ChromaAccess:
        """Access to the tenant's own Chroma."""
        kept = await self._secrets.read(tenant, namespace(tenant), STORES_SECRET)
        token = self._credential(tenant, CHROMA_TOKEN, kept.get(CHROMA_TOKEN, ""))
        return ChromaAccess(f"http://{self._host(tenant, 'chroma')}:{chroma.PORT}", token)

    async def neo4j(self, tenant: str) -> Neo4jAccess:
        """Access to the tenant's own Neo4j."""
        kept = await self._secrets.read(tenant, namespace(tenant), STORES_SECRET)
        password = self._credential(tenant, NEO4J_PASSWORD, kept.get(NEO4J_PASSWORD, ""))
        return Neo4jAccess(f"bolt://{self._host(tenant, 'neo4j')}:{neo4j.PORT}", password)

    async def redis(self, tenant: str) -> RedisAccess:
        """Access to the tenant's own Redis."""
        kept = await self._secrets.read(tenant, namespace(tenant), STORES_SECRET)
        password = self._credential(tenant, REDIS_URL, _password(kept, REDIS_URL))
        return RedisAccess(f"redis://{redis.USER}:{password}@{self._host(tenant, 'redis')}:{redis.PORT}/0")

    def forget(self, tenant: str) -> None:
        """Forget a tenant that is gone."""
        self._known.pop(tenant, None)

    def _credential(self, tenant: str, name: str, kept: str) -> str:
        known = self._known.setdefault(tenant, {})
        known[name] = kept or known.get(name) or generate_token()
        return known[name]

    def _host(self, tenant: str, component: str) -> str:
        return host(component, namespace(tenant), self._domain)


def _password(kept: Mapping[str, str], entry: str) -> str:
    return unquote(urlsplit(kept.get(entry, "")).password or "")
