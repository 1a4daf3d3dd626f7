"""A tenant's shares of the platform's shared stores: credentials, provisioning, and removal.

Credentials are made once and kept in the tenant's Secret. A crash before the Secret is written makes new ones, which
provisioning then puts in force: a pod never runs with credentials that are not kept. Shares are checked when the
operator first meets a tenant and once an hour; between, a reconcile makes no call to a store. While a store is away, a
tenant that was provisioned before is reconciled with what is kept, so that keys and limits still change.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final, Generic, TypeVar
from urllib.parse import unquote, urlsplit

from pydantic import ValidationError

from loci_contract import redis
from loci_contract.chroma import CollectionRecord, record_secret
from loci_contract.keys import generate_token
from loci_contract.names import REGISTRY_DATA_KEY, namespace
from loci_operator.cluster.secrets import Secrets
from loci_operator.provision.breaker import Breaker
from loci_operator.provision.ports import Collections, Provisioner, ProvisionError, StoreAwayError
from loci_operator.reconcile.causes import Problem
from loci_operator.reconcile.data import check_share
from loci_operator.specs.stores import (
    CHROMA_TOKEN,
    POSTGRES_DSN,
    REDIS_URL,
    STORES_SECRET,
    ChromaAccess,
    PostgresAccess,
    RedisAccess,
    tenant_dsn,
    tenant_redis_url,
)
from loci_operator.stores.outcome import StoresError, problem_of
from loci_resources.errors import RejectedError
from loci_resources.tenant import ADOPT, MemoryTenant

_CHECKED_SECONDS: Final = 3600.0
_Access = TypeVar("_Access", PostgresAccess, ChromaAccess, RedisAccess)


@dataclass(frozen=True)
class Share(Generic[_Access]):
    """A tenant's access to a store, and why it could not be checked just now, if so."""

    access: _Access
    problem: Problem | None = None


@dataclass
class _Checks(Generic[_Access]):
    """Recent checks: the time, the tenant's uid and its access, by tenant."""

    clock: Callable[[], float]
    held: dict[str, tuple[float, str, _Access]] = field(default_factory=dict)

    def find(self, tenant: MemoryTenant, credential: str) -> _Access | None:
        at, uid, access = self.held.get(tenant.metadata.name, (0.0, "", None))
        is_current = uid == tenant.metadata.uid and self.clock() - at < _CHECKED_SECONDS
        return access if access and is_current and _credential(access) == credential else None

    def note(self, tenant: MemoryTenant, access: _Access) -> Share[_Access]:
        self.held[tenant.metadata.name] = (self.clock(), tenant.metadata.uid, access)
        return Share(access)


class _Shared(Generic[_Access]):
    """Recent checks of a shared store, and credentials that are not kept in a Secret yet."""

    def __init__(
        self, store: str, secrets: Secrets, provisioner: Collections | Provisioner, clock: Callable[[], float]
    ) -> None:
        self._secrets = secrets
        self._purge = provisioner.purge
        self._breaker = Breaker(store)
        self._checks: _Checks[_Access] = _Checks(clock)
        self._pending: dict[str, str] = {}

    async def purge(self, tenant: str) -> None:
        """Remove the tenant's share with all its data."""
        self.forget(tenant)
        await self._breaker.run(lambda: self._purge(tenant))

    def forget(self, tenant: str) -> None:
        """Forget a tenant that is gone."""
        self._pending.pop(tenant, None)
        self._checks.held.pop(tenant, None)

    def _new(self, tenant: str) -> str:
        """A credential that stays the same until it is kept."""
        return self._pending.setdefault(tenant, generate_token())

    async def _kept(self, tenant: str, credential: str) -> str:
        return (await self._secrets.read(tenant, namespace(tenant), STORES_SECRET)).get(credential, "")


class SharedPostgres(_Shared[PostgresAccess]):
    """Tenants' schemas in one PostgreSQL database.

    Args:
        secrets: Secrets of tenants.
        provisioner: makes schemas and roles.
        address: the database's address as pods reach it, without user and password.
        clock: time, seconds.
    """

    def __init__(
        self, secrets: Secrets, provisioner: Provisioner, address: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__("PostgreSQL", secrets, provisioner, clock)
        self._provisioner = provisioner
        self._address = address
        self._prepared = False

    async def provision(self, tenant: MemoryTenant) -> Share[PostgresAccess]:
        """Return the tenant's access to its schema, creating or repairing it.

        Raises:
            StoresError: the store is away or refuses, and the tenant was never provisioned.
            RejectedError: the store holds the data of an earlier tenant of this name.
        """
        name = tenant.metadata.name
        kept = await self._kept_password(name)
        password = kept or self._new(name)
        access = PostgresAccess(tenant_dsn(self._address, name, password))
        if self._checks.find(tenant, access.dsn):
            return Share(access)
        try:
            await self._breaker.run(lambda: self._claim(tenant, password))
        except (StoreAwayError, ProvisionError) as error:
            if kept:
                return Share(access, problem_of(error))
            raise StoresError(problem_of(error)) from error
        return self._checks.note(tenant, access)

    async def holds_anothers(self, tenant: MemoryTenant) -> bool:
        """Whether the schema is an earlier tenant's of this name."""
        holder = await self._breaker.run(lambda: self._provisioner.holder(tenant.metadata.name))
        return holder not in {None, tenant.metadata.uid}

    async def _kept_password(self, tenant: str) -> str:
        return unquote(urlsplit(await self._kept(tenant, POSTGRES_DSN)).password or "")

    async def _claim(self, tenant: MemoryTenant, password: str) -> None:
        """Create the share for this very tenant; an earlier one's data is taken over only when that is asked for."""
        name, uid = tenant.metadata.name, tenant.metadata.uid
        if not self._prepared:
            await self._provisioner.prepare()
            self._prepared = True
        holder = await self._provisioner.holder(name)
        if holder not in {None, uid} and tenant.metadata.annotations.get(ADOPT) != "true":
            message = (
                f"The shared stores hold the data of an earlier tenant {name}: annotate this tenant with "
                f'{ADOPT}="true" to take it over, or choose another name.'
            )
            raise RejectedError("StoresReady", "RetainedDataExists", message)
        check_share(tenant, found=holder is not None)
        await self._provisioner.create(name, password)
        if holder != uid:
            await self._provisioner.hand_over(name, uid)


class SharedChroma(_Shared[ChromaAccess]):
    """Tenants' collections on one Chroma server.

    Args:
        secrets: Secrets of tenants.
        provisioner: makes collections.
        url: base URL of the gate before the server.
        system_namespace: namespace with the gate's records.
        clock: time, seconds.
    """

    def __init__(
        self,
        secrets: Secrets,
        provisioner: Collections,
        url: str,
        system_namespace: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__("Chroma", secrets, provisioner, clock)
        self._provisioner = provisioner
        self._url = url
        self._system_namespace = system_namespace

    async def provision(self, tenant: MemoryTenant) -> Share[ChromaAccess]:
        """Return the tenant's access to its collection, creating it; or raise StoresError."""
        name = tenant.metadata.name
        token = await self._token(name)
        if access := self._checks.find(tenant, token):
            return Share(access)
        try:
            collection = await self._breaker.run(lambda: self._provisioner.create(name))
        except (StoreAwayError, ProvisionError) as error:
            return Share(await self._as_kept(name, token, error), problem_of(error))
        return self._checks.note(tenant, ChromaAccess(self._url, token, str(collection)))

    async def _token(self, tenant: str) -> str:
        return await self._kept(tenant, CHROMA_TOKEN) or self._new(tenant)

    async def _as_kept(self, tenant: str, token: str, error: Exception) -> ChromaAccess:
        kept = await self._secrets.read(tenant, self._system_namespace, record_secret(tenant))
        try:
            record = CollectionRecord.model_validate_json(kept.get(REGISTRY_DATA_KEY, ""))
        except ValidationError:
            raise StoresError(problem_of(error)) from error
        return ChromaAccess(self._url, token, str(record.collection))


class SharedRedis(_Shared[RedisAccess]):
    """Tenants' caches on one Redis or Valkey server or cluster.

    A tenant is served while the server is away: its pods have their credentials, count each look into the cache as a
    miss, and use it once the user is made.

    Args:
        secrets: Secrets of tenants.
        provisioner: makes users.
        server: access without a user, as pods reach it.
        clock: time, seconds.
    """

    def __init__(
        self,
        secrets: Secrets,
        provisioner: Provisioner,
        server: RedisAccess,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__("Redis", secrets, provisioner, clock)
        self._provisioner = provisioner
        self._server = server

    async def provision(self, tenant: MemoryTenant) -> Share[RedisAccess]:
        """Return the tenant's access to its keys, creating or repairing its user."""
        name = tenant.metadata.name
        password = await self._kept_password(name) or self._new(name)
        access = replace(self._server, url=tenant_redis_url(self._server.url, name, password))
        if self._checks.find(tenant, access.url):
            return Share(access)
        try:
            await self._breaker.run(lambda: self._provisioner.create(name, password))
        except (StoreAwayError, ProvisionError) as error:
            return Share(access, problem_of(error))
        return self._checks.note(tenant, access)

    async def _kept_password(self, tenant: str) -> str:
        """The password in the tenant's Secret, unless that is of another Redis."""
        kept = urlsplit(await self._kept(tenant, REDIS_URL))
        return unquote(kept.password or "") if kept.username == redis.user(tenant) else ""


def _credential(access: PostgresAccess | ChromaAccess | RedisAccess) -> str:
    if isinstance(access, RedisAccess):
        return access.url
    return access.dsn if isinstance(access, PostgresAccess) else access.token
