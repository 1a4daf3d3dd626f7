"""A tenant's shares of the platform's shared stores: credentials, provisioning, and removal.

Credentials are made once and kept in the tenant's Secret. A crash before the Secret is written makes new ones, which
provisioning then puts in force: a pod never runs with credentials that are not kept. Shares are checked when the
operator first meets a tenant and once an hour; between, a reconcile makes no call to a store. While a store is away, a
tenant that was provisioned before is reconciled with what is kept, so that keys and limits still change.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote, urlsplit

from pydantic import ValidationError

from loci_contract.chroma import CollectionRecord, record_secret
from loci_contract.keys import generate_token
from loci_contract.names import REGISTRY_DATA_KEY, namespace
from loci_operator.cluster.secrets import Secrets
from loci_operator.provision.breaker import Breaker
from loci_operator.provision.ports import Collections, Provisioner, ProvisionError, StoreAwayError
from loci_operator.reconcile.causes import Problem
from loci_operator.specs.stores import CHROMA_TOKEN, POSTGRES_DSN, STORES_SECRET, SharedStores, StoreAccess
from loci_resources.errors import RejectedError
from loci_resources.tenant import ADOPT, MemoryTenant

_CHECKED_SECONDS: Final = 3600.0


class StoresError(Exception):
    """A tenant's stores cannot be provisioned or removed now; worth trying again."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


@dataclass(frozen=True)
class Provisioned:
    """A tenant's access to its stores, and why it could not be checked just now, if so."""

    access: StoreAccess
    problem: Problem | None = None


@dataclass(frozen=True)
class _Checked:
    at: float
    uid: str
    access: StoreAccess


class TenantStores:
    """Tenants' shares of one PostgreSQL database and one Chroma server."""

    def __init__(  # noqa: PLR0913 - its collaborators by name
        self,
        secrets: Secrets,
        shared: SharedStores,
        postgres: Provisioner,
        chroma: Collections,
        system_namespace: str,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._secrets = secrets
        self._shared = shared
        self._postgres = postgres
        self._chroma = chroma
        self._system_namespace = system_namespace
        self._clock = clock
        self._breakers = {"postgres": Breaker("PostgreSQL"), "chroma": Breaker("Chroma")}
        self._pending: dict[str, tuple[str, str]] = {}
        self._checked: dict[str, _Checked] = {}
        self._prepared = False

    async def provision(self, tenant: MemoryTenant) -> Provisioned:
        """Return the tenant's access to its shares, creating or repairing them.

        Raises:
            StoresError: a store is away or refuses, and the tenant was never provisioned.
            RejectedError: the store holds the data of an earlier tenant of this name.
        """
        name = tenant.metadata.name
        password, token = await self._credentials(name)
        checked = self._checked.get(name)
        if checked and self._is_valid(checked, tenant, password, token):
            return Provisioned(checked.access)
        try:
            access = await self._create(tenant, password, token)
        except (StoreAwayError, ProvisionError) as error:
            return await self._as_kept(name, password, token, _problem(error))
        self._checked[name] = _Checked(self._clock(), tenant.metadata.uid, access)
        return Provisioned(access)

    async def purge(self, tenant: MemoryTenant) -> None:
        """Remove the tenant's shares with all their data, unless they are an earlier tenant's; or raise StoresError."""
        name = tenant.metadata.name
        self._checked.pop(name, None)
        try:
            holder = await self._breakers["postgres"].run(lambda: self._postgres.holder(name))
            if holder not in {None, tenant.metadata.uid}:
                return
            await self._breakers["chroma"].run(lambda: self._chroma.purge(name))
            await self._breakers["postgres"].run(lambda: self._postgres.purge(name))
        except (StoreAwayError, ProvisionError) as error:
            raise StoresError(_problem(error)) from error

    def forget(self, tenant: str) -> None:
        """Forget a tenant that is gone."""
        self._pending.pop(tenant, None)
        self._checked.pop(tenant, None)

    def _is_valid(self, checked: _Checked, tenant: MemoryTenant, password: str, token: str) -> bool:
        is_current = checked.uid == tenant.metadata.uid and self._clock() - checked.at < _CHECKED_SECONDS
        access = checked.access
        wanted = (self._shared.dsn(tenant.metadata.name, password), token)
        return is_current and (access.postgres_dsn, access.chroma_token) == wanted

    async def _credentials(self, tenant: str) -> tuple[str, str]:
        kept = await self._secrets.read(tenant, namespace(tenant), STORES_SECRET)
        password = unquote(urlsplit(kept.get(POSTGRES_DSN, "")).password or "")
        pending = self._pending.setdefault(tenant, (generate_token(), generate_token()))
        return password or pending[0], kept.get(CHROMA_TOKEN) or pending[1]

    async def _create(self, tenant: MemoryTenant, password: str, token: str) -> StoreAccess:
        name = tenant.metadata.name
        await self._breakers["postgres"].run(lambda: self._claim(tenant, password))
        collection = await self._breakers["chroma"].run(lambda: self._chroma.create(name))
        return self._access(name, password, token, str(collection))

    async def _claim(self, tenant: MemoryTenant, password: str) -> None:
        """Create the share for this very tenant; an earlier one's data is taken over only when that is asked for."""
        name, uid = tenant.metadata.name, tenant.metadata.uid
        if not self._prepared:
            await self._postgres.prepare()
            self._prepared = True
        holder = await self._postgres.holder(name)
        if holder not in {None, uid} and tenant.metadata.annotations.get(ADOPT) != "true":
            message = (
                f"The shared stores hold the data of an earlier tenant {name}: annotate this tenant with "
                f'{ADOPT}="true" to take it over, or choose another name.'
            )
            raise RejectedError("StoresReady", "RetainedDataExists", message)
        await self._postgres.create(name, password)
        if holder != uid:
            await self._postgres.hand_over(name, uid)

    async def _as_kept(self, tenant: str, password: str, token: str, problem: Problem) -> Provisioned:
        kept = await self._secrets.read(tenant, self._system_namespace, record_secret(tenant))
        try:
            record = CollectionRecord.model_validate_json(kept.get(REGISTRY_DATA_KEY, ""))
        except ValidationError:
            raise StoresError(problem) from None
        return Provisioned(self._access(tenant, password, token, str(record.collection)), problem)

    def _access(self, tenant: str, password: str, token: str, collection: str) -> StoreAccess:
        return StoreAccess(self._shared.dsn(tenant, password), self._shared.chroma_url, collection, token)


def _problem(error: Exception) -> Problem:
    if isinstance(error, StoreAwayError):
        return Problem("StoreAway", f"{error}. It is tried again with back-off.")
    return Problem("StoreRefuses", f"{error}.")
