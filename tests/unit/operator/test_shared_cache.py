"""A tenant's share of the shared Redis: its credentials, what it waits for, and what is left when it goes."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, cast

import pytest

from loci_dev.rigs.contexts import CACHE, context, shared
from loci_operator.cluster.secrets import Given, Secrets
from loci_operator.provision.ports import ProvisionError, StoreAwayError
from loci_operator.provision.redis.provisioner import RedisProvisioner
from loci_operator.reconcile.admit import admit
from loci_operator.reconcile.reading import Known
from loci_operator.specs.children import children
from loci_operator.specs.context import Context
from loci_operator.specs.stores import REDIS_URL, RedisAccess, StoreAccess
from loci_operator.stores.external import ExternalSources
from loci_operator.stores.outcome import StoresError
from loci_operator.stores.shared import SharedRedis
from loci_operator.stores.tenant_stores import TenantStores
from loci_resources.derived import placement
from loci_resources.errors import RejectedError
from loci_resources.storage import PLACEMENTS, Available, ExternalStore, ExternalStores, Storage, StoreKind
from loci_resources.tier import StorageProfile

ADDRESS = RedisAccess("rediss://cache.example:6380/0")
ACME = context(storage=Storage(cache=StoreKind.SHARED))


@dataclass
class Users:
    """A server's users and the calls to it, or the error that it answers with."""

    made: dict[str, str] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    error: Exception | None = None

    async def create(self, tenant: str, password: str) -> None:
        self.calls.append("create")
        if self.error:
            raise self.error
        self.made[tenant] = password

    async def purge(self, tenant: str) -> None:
        self.calls.append("purge")
        if self.error:
            raise self.error
        self.made.pop(tenant, None)


@dataclass
class Kept:
    """Secrets in the cluster."""

    entries: dict[str, str] = field(default_factory=dict)

    async def read(self, *_: str) -> dict[str, str]:
        return self.entries

    async def given(self, *_: str) -> Given:
        return Given({"loci.dev/tenant": "acme"}, self.entries)


def source(users: Users, kept: Kept | None = None, now: list[float] | None = None) -> SharedRedis:
    clock = now or [1.0]
    secrets = cast("Secrets", kept or Kept())
    return SharedRedis(secrets, cast("RedisProvisioner", users), ADDRESS, lambda: clock[0])


def environment(made: Context) -> dict[str, str]:
    workload = next(c for c in children(made) if c["kind"] in {"StatefulSet", "Deployment"})
    return {e["name"]: e["value"] for e in workload["spec"]["template"]["spec"]["containers"][0]["env"]}


async def test_the_tenant_gets_a_user_of_its_own_and_the_servers_address() -> None:
    users = Users()
    share = await source(users).provision(ACME.tenant)
    assert share.access.url == f"rediss://tenant-acme:{users.made['acme']}@cache.example:6380/0"
    assert share.problem is None
    assert users.made["acme"] not in repr(share)


@pytest.mark.parametrize(
    ("error", "reason"), [(StoreAwayError("Redis is unavailable"), "StoreAway"), (ProvisionError("No"), "StoreRefuses")]
)
async def test_a_tenant_is_served_while_the_server_is_away_and_gets_the_same_password_later(
    error: Exception, reason: str
) -> None:
    users = Users(error=error)
    redis = source(users)
    first = await redis.provision(ACME.tenant)
    assert first.problem is not None
    assert first.problem.reason == reason
    users.error = None
    redis._breaker._retry_at = 0.0
    second = await redis.provision(ACME.tenant)
    assert second.access == first.access
    assert second.problem is None


async def test_a_kept_password_is_put_in_force_and_that_of_another_redis_is_not_used() -> None:
    users = Users()
    await source(users, Kept({REDIS_URL: "redis://tenant-acme:kept%2F1@old:6379/0"})).provision(ACME.tenant)
    assert users.made["acme"] == "kept/1"
    await source(users, Kept({REDIS_URL: "redis://someone:theirs@elsewhere:6379/0"})).provision(ACME.tenant)
    assert users.made["acme"] not in {"theirs", "kept/1"}


async def test_the_user_is_checked_once_an_hour() -> None:
    users, kept, now = Users(), Kept(), [1.0]
    redis = source(users, kept, now)
    for at in (1.0, 2.0, 3600.0, 3602.0):
        now[0] = at
        kept.entries = {REDIS_URL: (await redis.provision(ACME.tenant)).access.url}
    assert users.calls == ["create", "create"]


async def test_a_tenant_waits_at_its_end_for_the_cache_that_it_uses_and_for_no_other() -> None:
    users = Users(made={"acme": "x"})
    stores = TenantStores(redis=source(users))
    await stores.purge_cache(ACME.tenant, ACME.placement)
    assert users.made == {}
    away = TenantStores(redis=source(Users(error=StoreAwayError("Redis is unavailable"))))
    for places in (ACME.placement, None):
        with pytest.raises(StoresError, match="Redis is unavailable"):
            await away.purge_cache(ACME.tenant, places)
    await away.purge_cache(ACME.tenant, PLACEMENTS[StorageProfile.EMBEDDED])


def test_a_tenant_that_has_a_shared_cache_alone_is_held_until_it_is_removed() -> None:
    assert ACME.placement.is_outside
    assert not context().placement.is_outside


def test_a_missing_redis_never_keeps_data_from_being_removed() -> None:
    assert TenantStores().can_purge(ACME.tenant, ACME.placement)


async def test_the_shared_profile_takes_the_shared_cache_where_there_is_one_and_the_pods_own_otherwise() -> None:
    made = context(storage=Storage(profile=StorageProfile.SHARED))
    places = placement(made.tenant, made.tier)
    assert places.cache is StoreKind.SHARED
    anywhere = {StoreKind.EMBEDDED, StoreKind.SHARED}
    admit(Known(made.tenant, ()), {"pro": made.tier}, None, Available(anywhere, anywhere))
    assert (await TenantStores().provision(made.tenant, places)).access == StoreAccess()
    without = replace(shared(), stores=replace(shared().stores, redis=None))
    assert "LOCI_REDIS_URL_FILE" not in environment(without)
    policy = next(c for c in children(without) if c["kind"] == "NetworkPolicy" and c["spec"]["egress"])
    assert CACHE not in policy["spec"]["egress"]
    with_it = await TenantStores(redis=source(Users())).provision(made.tenant, places)
    assert with_it.access.redis is not None


def test_a_cache_that_is_asked_for_by_itself_has_to_be_there() -> None:
    with pytest.raises(RejectedError, match="cache: shared"):
        admit(Known(ACME.tenant, ()), {"pro": ACME.tier}, None, TenantStores().available)
    available = TenantStores(redis=source(Users())).available
    admit(Known(ACME.tenant, ()), {"pro": ACME.tier}, None, available)


@pytest.mark.parametrize("is_cluster", [True, False])
def test_the_data_plane_is_told_of_a_cluster(*, is_cluster: bool) -> None:
    access = RedisAccess("redis://tenant-acme:x@cache:6379/0", is_cluster)
    made = replace(shared(), stores=replace(shared().stores, redis=access))
    assert environment(made).get("LOCI_REDIS_CLUSTER") == ("true" if is_cluster else None)


@pytest.mark.parametrize(("entry", "is_cluster"), [("true", True), ("True\n", True), ("false", False), ("", False)])
async def test_an_external_cache_is_a_cluster_if_its_secret_says_so(entry: str, *, is_cluster: bool) -> None:
    unused = cast("Any", None)
    kept = Kept({"url": "redis://a:b@cache:6379/0", "cluster": entry})
    sources = ExternalSources(cast("Secrets", kept), "loci-system", unused, unused)
    store = ExternalStore(secret_name="acme-cache")
    storage = Storage(cache=StoreKind.EXTERNAL, external=ExternalStores(redis=store))
    tenant = context(storage=storage).tenant
    assert (await sources.redis(tenant, store)).is_cluster is is_cluster
