"""Access to a tenant's stores elsewhere, by addresses and credentials that an administrator puts into a Secret.

The Secret is in Loci's own namespace and carries the tenant's name as a label: without that, anyone who can create
tenants could have any Secret mounted. It is read at each reconcile, so a change is followed within a resync.
Removed with a tenant is only data that Loci made a place for: a schema made with an administrator's role, a collection.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final
from urllib.parse import urlsplit

from loci_contract.names import LABEL_TENANT
from loci_contract.postgres import login_role
from loci_operator.cluster.secrets import Secrets
from loci_operator.provision.ports import Collections, ProvisionError, StoreAwayError
from loci_operator.provision.postgres.reading import check_schema
from loci_operator.reconcile.causes import Problem
from loci_operator.specs.stores import ChromaAccess, Neo4jAccess, PostgresAccess, RedisAccess, without_credentials
from loci_operator.stores.outcome import StoresError, problem_of
from loci_operator.stores.shared import Share, SharedPostgres
from loci_resources.storage import ExternalStore
from loci_resources.tenant import MemoryTenant

MakePostgres = Callable[[str, str], SharedPostgres]
"""Makes the source of shares of a server from an administrator's address, and from that without user and password."""
MakeChroma = Callable[[str, str], Collections]
"""Makes the provisioner of collections from an address and a token."""
_SCHEMES: Final = {
    "postgres": {"postgresql", "postgres"},
    "chroma": {"http", "https"},
    "neo4j": {"bolt", "bolt+s", "neo4j", "neo4j+s"},
    "redis": {"redis", "rediss"},
}
_KEYS: Final = {
    "postgres": ("dsn",),
    "chroma": ("url", "token"),
    "neo4j": ("url", "user", "password"),
    "redis": ("url",),
}


class ExternalSources:
    """Access of tenants to stores elsewhere."""

    def __init__(self, secrets: Secrets, system_namespace: str, postgres: MakePostgres, chroma: MakeChroma) -> None:
        self._secrets = secrets
        self._namespace = system_namespace
        self._make_postgres = postgres
        self._make_chroma = chroma
        self._postgres: dict[str, tuple[str, SharedPostgres]] = {}

    async def postgres(self, tenant: MemoryTenant, store: ExternalStore) -> Share[PostgresAccess]:
        """Access to the tenant's schema, made by an administrator's role, or checked by the tenant's own."""
        name, entries = tenant.metadata.name, await self._entries(tenant, "postgres", store)
        dsn = entries["dsn"]
        if urlsplit(dsn).username != login_role(name):
            return await self._server(name, dsn).provision(tenant)
        access = PostgresAccess(dsn)
        try:
            await check_schema(dsn, name)
        except StoreAwayError as error:
            return Share(access, problem_of(error))
        except ProvisionError as error:
            raise StoresError(problem_of(error)) from error
        return Share(access)

    async def chroma(self, tenant: MemoryTenant, store: ExternalStore) -> ChromaAccess:
        """Access to Chroma; the pod makes the collection."""
        entries = await self._entries(tenant, "chroma", store)
        return ChromaAccess(entries["url"], entries["token"])

    async def neo4j(self, tenant: MemoryTenant, store: ExternalStore) -> Neo4jAccess:
        """Access to Neo4j."""
        entries = await self._entries(tenant, "neo4j", store)
        return Neo4jAccess(entries["url"], entries["password"], entries["user"])

    async def redis(self, tenant: MemoryTenant, store: ExternalStore) -> RedisAccess:
        """Access to Redis."""
        entries = await self._entries(tenant, "redis", store)
        return RedisAccess(entries["url"], is_cluster=entries.get("cluster", "").strip().lower() == "true")

    async def purge(self, tenant: MemoryTenant) -> None:
        """Remove what Loci made in the tenant's external stores, unless it is an earlier tenant's."""
        name, external = tenant.metadata.name, tenant.spec.storage.external
        if external.postgres:
            dsn = (await self._entries(tenant, "postgres", external.postgres))["dsn"]
            is_made = urlsplit(dsn).username != login_role(name)
            if is_made and not await (server := self._server(name, dsn)).holds_anothers(tenant):
                await server.purge(name)
        if external.chroma:
            access = await self.chroma(tenant, external.chroma)
            await self._make_chroma(access.url, access.token).purge(name)

    def forget(self, tenant: str) -> None:
        """Forget a tenant that is gone."""
        self._postgres.pop(tenant, None)

    def _server(self, tenant: str, dsn: str) -> SharedPostgres:
        held = self._postgres.get(tenant)
        if held is None or held[0] != dsn:
            held = self._postgres[tenant] = (dsn, self._make_postgres(dsn, without_credentials(dsn)))
        return held[1]

    async def _entries(self, tenant: MemoryTenant, server: str, store: ExternalStore) -> Mapping[str, str]:
        name, where = tenant.metadata.name, f"Secret {store.secret_name} in namespace {self._namespace}"
        found = await self._secrets.given(self._namespace, store.secret_name)
        if found is None or found.labels.get(LABEL_TENANT) != name:
            raise _missing(f"Create {where} for external.{server}, with the label {LABEL_TENANT}={name}.")
        if missing := [key for key in _KEYS[server] if not found.entries.get(key)]:
            raise _missing(f"{where} lacks the keys: {', '.join(missing)}.")
        address = found.entries[_KEYS[server][0]]
        if urlsplit(address).scheme not in _SCHEMES[server]:
            schemes = ", ".join(f"{scheme}://" for scheme in sorted(_SCHEMES[server]))
            raise _missing(f"The address in {where} has to begin with one of: {schemes}.")
        return found.entries


def _missing(message: str) -> StoresError:
    return StoresError(Problem("SecretMissing", message))
