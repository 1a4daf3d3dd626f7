"""All stores of a tenant, each from where its placement says."""

from __future__ import annotations

from dataclasses import dataclass

from loci_operator.provision.ports import ProvisionError, StoreAwayError
from loci_operator.reconcile.causes import Problem
from loci_operator.specs.stores import ChromaAccess, Neo4jAccess, PostgresAccess, StoreAccess
from loci_operator.stores.outcome import Provisioned, StoresError, problem_of
from loci_operator.stores.own import OwnStores
from loci_operator.stores.shared import SharedChroma, SharedPostgres
from loci_resources.storage import Available, GraphKind, Placement, StoreKind
from loci_resources.tenant import MemoryTenant


@dataclass(frozen=True)
class TenantStores:
    """Where tenants' stores can be; None for what this installation does not have.

    Args:
        postgres: the platform's PostgreSQL.
        chroma: the platform's Chroma.
        own: servers of tenants' own.
    """

    postgres: SharedPostgres | None = None
    chroma: SharedChroma | None = None
    own: OwnStores | None = None

    @property
    def available(self) -> Available:
        """The kinds of stores that this installation has."""
        own = {StoreKind.DEDICATED} if self.own else set()
        return Available(
            records={StoreKind.EMBEDDED, *({StoreKind.SHARED} if self.postgres else ()), *own},
            vectors={StoreKind.EMBEDDED, *({StoreKind.SHARED} if self.chroma else ()), *own},
            graph={GraphKind.RECORDS, *({GraphKind.NEO4J} if self.own else ())},
            cache={StoreKind.EMBEDDED, *own},
        )

    @property
    def has_shared(self) -> bool:
        """Whether there are shared stores."""
        return self.postgres is not None or self.chroma is not None

    async def provision(self, tenant: MemoryTenant, places: Placement) -> Provisioned:
        """Return the tenant's access to its stores, creating or repairing what it lacks.

        Raises:
            StoresError: a shared store is away or refuses, and the tenant was never provisioned.
            RejectedError: a shared store holds the data of an earlier tenant of this name.
        """
        postgres, postgres_problem = await self._postgres(tenant, places)
        chroma, chroma_problem = await self._chroma(tenant, places)
        access = StoreAccess(postgres, chroma, await self._neo4j(tenant, places), await self._redis_url(tenant, places))
        return Provisioned(access, postgres_problem or chroma_problem)

    async def purge(self, tenant: MemoryTenant) -> None:
        """Remove the tenant's shares with all their data, unless they are an earlier tenant's; or raise StoresError."""
        name = tenant.metadata.name
        try:
            if self.postgres and await self.postgres.holds_anothers(tenant):
                return
            if self.chroma:
                await self.chroma.purge(name)
            if self.postgres:
                await self.postgres.purge(name)
        except (StoreAwayError, ProvisionError) as error:
            raise StoresError(problem_of(error)) from error

    def forget(self, tenant: str) -> None:
        """Forget a tenant that is gone."""
        for source in (self.postgres, self.chroma, self.own):
            if source:
                source.forget(tenant)

    async def _postgres(self, tenant: MemoryTenant, places: Placement) -> tuple[PostgresAccess | None, Problem | None]:
        if places.records is StoreKind.SHARED and self.postgres:
            share = await self.postgres.provision(tenant)
            return share.access, share.problem
        if places.records is StoreKind.DEDICATED and self.own:
            return await self.own.postgres(tenant.metadata.name), None
        return None, None

    async def _chroma(self, tenant: MemoryTenant, places: Placement) -> tuple[ChromaAccess | None, Problem | None]:
        if places.vectors is StoreKind.SHARED and self.chroma:
            share = await self.chroma.provision(tenant)
            return share.access, share.problem
        if places.vectors is StoreKind.DEDICATED and self.own:
            return await self.own.chroma(tenant.metadata.name), None
        return None, None

    async def _neo4j(self, tenant: MemoryTenant, places: Placement) -> Neo4jAccess | None:
        if places.graph is GraphKind.NEO4J and self.own:
            return await self.own.neo4j(tenant.metadata.name)
        return None

    async def _redis_url(self, tenant: MemoryTenant, places: Placement) -> str | None:
        if places.cache is StoreKind.DEDICATED and self.own:
            return await self.own.redis_url(tenant.metadata.name)
        return None
