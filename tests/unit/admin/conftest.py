"""The admin API over a store in memory, called without a network."""

from collections.abc import AsyncIterator, Callable, Sequence

import httpx
import pytest

from loci_admin.app import create_app
from loci_admin.deps import Deps
from loci_contract.keys import sha256
from loci_resources.shipped import default_tiers
from loci_resources.tenant import MemoryTenant, MemoryTenantSpec
from loci_resources.tier import MemoryTier

ADMIN_KEY = "the-admin-key"


class MemoryStore:
    """The TenantStore port; `fails` is raised by whatever is asked next."""

    def __init__(self) -> None:
        self.held: dict[str, MemoryTenant] = {}
        self.fails: Exception | None = None

    async def tiers(self) -> Sequence[MemoryTier]:
        if self.fails:
            raise self.fails
        return default_tiers()

    async def create(self, tenant: MemoryTenant) -> None:
        self.held[tenant.metadata.name] = tenant

    async def get(self, name: str) -> MemoryTenant | None:
        return self.held.get(name)

    async def all(self) -> Sequence[MemoryTenant]:
        return [self.held[name] for name in sorted(self.held)]

    async def change(self, name: str, changed: Callable[[MemoryTenantSpec], MemoryTenantSpec]) -> MemoryTenant | None:
        if name not in self.held:
            return None
        self.held[name] = self.held[name].model_copy(update={"spec": changed(self.held[name].spec)})
        return self.held[name]

    async def delete(self, name: str) -> bool:
        return self.held.pop(name, None) is not None


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
async def admin(store: MemoryStore) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(create_app(Deps(store, sha256(ADMIN_KEY))))
    async with httpx.AsyncClient(
        transport=transport, base_url="http://admin", headers={"Authorization": f"Bearer {ADMIN_KEY}"}
    ) as client:
        yield client
