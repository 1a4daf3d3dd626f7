"""All stores of a tenant, each from where its placement says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from loci_operator.provision.ports import ProvisionError, StoreAwayError
from loci_operator.reconcile.causes import Problem
from loci_operator.specs.stores import ChromaAccess, Neo4jAccess, PostgresAccess, RedisAccess, StoreAccess
from loci_operator.stores.external import ExternalSources
from loci_operator.stores.outcome import Provisioned, StoresError, problem_of
from loci_operator.stores.own import OwnStores
from loci_operator.stores.shared import SharedChroma, SharedPostgres, SharedRedis
from loci_resources.storage import Available, ExternalStores, GraphKind, Placement, StoreKind
from loci_resources.tenant import MemoryTenant

_NOWHERE: Final = ExternalStores()


@dataclass(frozen=True)
class TenantStores:
    """Where tenants' stores can be; None for what this installation does not have.

    Args:
        postgres: the platform's PostgreSQL.
        chroma: the platform's Chroma.
        redis: the platform's Redis.
        own: servers of tenants' own.
        external: servers elsewhere.
    """

    postgres: SharedPostgres | None = None
    chroma: SharedChroma | None = None
    redis: SharedRedis | None = None
    own: OwnStores | None = None
    external: ExternalSources | None = None

    @property
    def available(self) -> Available:
        """The kinds of stores that this installation has."""
        anywhere: set[StoreKind] = {StoreKind.EMBEDDED}
        anywhere |= {StoreKind.DEDICATED} if self.own else set()
        anywhere |= {StoreKind.EXTERNAL} if self.external else set()
        return Available(
            records=anywhere | ({StoreKind.SHARED} if self.postgres else set()),
            vectors=anywhere | ({StoreKind.SHARED} if self.chroma else set()),
            graph={
                GraphKind.RECORDS,
                *((GraphKind.NEO4J,) if self.own else ()),
                *((GraphKind.EXTERNAL,) if self.external else ()),
            },
            cache=anywhere | ({StoreKind.SHARED} if self.redis else set()),
        )

    async def provision(self, tenant: MemoryTenant, places: Placement) -> Provisioned:
        """Return the tenant's access to its stores, creating or repairing what it lacks.

        Raises:
            StoresError: a shared store is away or refuses, and the tenant was never provisioned.
            RejectedError: a shared store holds the data of an earlier tenant of this name.
        """
        postgres, postgres_problem = await self._postgres(tenant, places)
        chroma, chroma_problem = await self._chroma(tenant, places)
        redis, cache_problem = await self._redis(tenant, places)
        access = StoreAccess(postgres, chroma, await self._neo4j(tenant, places), redis)
        return Provisioned(access, postgres_problem or chroma_problem, cache_problem)

    def can_purge(self, tenant: MemoryTenant, places: Placement | None) -> bool:
        """Whether the stores that hold a tenant's data are there; `places` is None if it is not known which."""
        if places is None:
            is_external = tenant.spec.storage.external != _NOWHERE
            return is_external or self.postgres is not None or self.chroma is not None
        return not places._replace(cache=StoreKind.EMBEDDED).missing(self.available)

    async def purge(self, tenant: MemoryTenant, places: Placement | None) -> None:
        """Remove the tenant's shares with all their data, unless they are an earlier tenant's; or raise StoresError.

        If it is not known which stores the data is in (`places` is None), it is removed from all shared ones.
        """
        try:
            await self._purge_shared(tenant, places)
            if self.external:
                await self.external.purge(tenant)
        except (StoreAwayError, ProvisionError) as error:
            raise StoresError(problem_of(error)) from error

    async def purge_cache(self, tenant: MemoryTenant, places: Placement | None) -> None:
        """Remove the tenant's share of the shared Redis; or raise StoresError.

        A tenant that has moved to another cache is not held up by a server that is away.
        """
        if self.redis is None:
            return
        try:
            await self.redis.purge(tenant.metadata.name)
        except (StoreAwayError, ProvisionError) as error:
            if places is None or places.cache is StoreKind.SHARED:
                raise StoresError(problem_of(error)) from error

    async def _purge_shared(self, tenant: MemoryTenant, places: Placement | None) -> None:
        name = tenant.metadata.name
        postgres = self.postgres if places is None or places.records is StoreKind.SHARED else None
        chroma = self.chroma if places is None or places.vectors is StoreKind.SHARED else None
        if postgres and await postgres.holds_anothers(tenant):
            return
        if chroma:
            await chroma.purge(name)
        if postgres:
            await postgres.purge(name)

    def forget(self, tenant: str) -> None:
        """Forget a tenant that is gone."""
        for source in (self.postgres, self.chroma, self.redis, self.own, self.external):
            if source:
                source.forget(tenant)

    async def _postgres(self, tenant: MemoryTenant, places: Placement) -> tuple[PostgresAccess | None, Problem | None]:
        if places.records is StoreKind.SHARED and self.postgres:
            share = await self.postgres.provision(tenant)
            return share.access, share.problem
        if places.records is StoreKind.DEDICATED and self.own:
            return await self.own.postgres(tenant.metadata.name), None
        if self.external and (store := tenant.spec.storage.external.postgres):
            share = await self.external.postgres(tenant, store)
            return share.access, share.problem
        return None, None

    async def _chroma(self, tenant: MemoryTenant, places: Placement) -> tuple[ChromaAccess | None, Problem | None]:
        if places.vectors is StoreKind.SHARED and self.chroma:
            share = await self.chroma.provision(tenant)
            return share.access, share.problem
        if places.vectors is StoreKind.DEDICATED and self.own:
            return await self.own.chroma(tenant.metadata.name), None
        if self.external and (store := tenant.spec.storage.external.chroma):
            return await self.external.chroma(tenant, store), None
        return None, None

    async def _neo4j(self, tenant: MemoryTenant, places: Placement) -> Neo4jAccess | None:
        if places.graph is GraphKind.NEO4J and self.own:
            return await self.own.neo4j(tenant.metadata.name)
        if self.external and (store := tenant.spec.storage.external.neo4j):
            return await self.external.neo4j(tenant, store)
        return None

    async def _redis(self, tenant: MemoryTenant, places: Placement) -> tuple[RedisAccess | None, Problem | None]:
        if places.cache is StoreKind.SHARED and self.redis:
            share = await self.redis.provision(tenant)
            return share.access, share.problem
        if places.cache is StoreKind.DEDICATED and self.own:
            return await self.own.redis(tenant.metadata.name), None
        if self.external and (store := tenant.spec.storage.external.redis):
            return await self.external.redis(tenant, store), None
        return None, None
