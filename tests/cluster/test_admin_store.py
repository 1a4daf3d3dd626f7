"""Tenants as objects of a real API server, as the admin API's own account reads and changes them."""

import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from loci_admin.tenants.kubernetes_store import KubernetesStore, kubernetes_store
from loci_dev.cluster.accounts import account
from loci_dev.cluster.controlplane import ControlPlane
from loci_resources.base import ObjectMeta
from loci_resources.tenant import LimitOverrides, MemoryTenant, MemoryTenantSpec
from loci_runtime.errors import ConflictError, UnavailableError

LIMITS = LimitOverrides(burst=7, max_memories=9)


@pytest.fixture
async def store(plane: ControlPlane) -> AsyncIterator[KubernetesStore]:
    async with kubernetes_store(account(plane, "admin")) as store:
        yield store


@pytest.fixture
async def tenant(store: KubernetesStore, plane: ControlPlane) -> AsyncIterator[str]:
    spec = MemoryTenantSpec(tier="enterprise", display_name="Acme", limits=LIMITS)
    await store.create(MemoryTenant(metadata=ObjectMeta(name="acme"), spec=spec))
    yield "acme"
    plane.kubectl("delete", "mt", "--all")


@pytest.fixture
def nowhere(tmp_path: Path, plane: ControlPlane) -> Path:
    """A kubeconfig of an API server that nobody runs."""
    config = json.loads(plane.kubectl("config", "view", "--raw", "-o", "json"))
    config["clusters"][0]["cluster"]["server"] = "https://127.0.0.1:9"
    path = tmp_path / "nowhere"
    path.write_text(json.dumps(config))
    return path


def spec_of(plane: ControlPlane, name: str) -> dict[str, Any]:
    spec: dict[str, Any] = json.loads(plane.kubectl("get", "mt", name, "-o", "json"))["spec"]
    return spec


def suspended(spec: MemoryTenantSpec) -> MemoryTenantSpec:
    return spec.model_copy(update={"suspend": True})


async def test_a_change_takes_away_what_is_no_longer_there(
    store: KubernetesStore, plane: ControlPlane, tenant: str
) -> None:
    fewer = LimitOverrides(max_memories=9)
    changed = await store.change(tenant, lambda spec: spec.model_copy(update={"limits": fewer, "display_name": None}))
    assert changed is not None
    assert (changed.spec.limits, changed.spec.display_name) == (fewer, None)
    assert spec_of(plane, tenant)["limits"] == {"maxMemories": 9}


async def test_a_change_leaves_what_it_does_not_touch(store: KubernetesStore, plane: ControlPlane, tenant: str) -> None:
    before = spec_of(plane, tenant)
    await store.change(tenant, suspended)
    assert spec_of(plane, tenant) == {**before, "suspend": True}


async def test_a_change_is_made_again_on_what_another_left(
    store: KubernetesStore, plane: ControlPlane, tenant: str
) -> None:
    others: Iterator[str] = iter(["another"])

    def changed(spec: MemoryTenantSpec) -> MemoryTenantSpec:
        for name in others:
            plane.kubectl("patch", "mt", tenant, "--type=merge", "-p", json.dumps({"spec": {"displayName": name}}))
        return suspended(spec)

    after = await store.change(tenant, changed)
    assert after is not None
    assert (after.spec.display_name, after.spec.suspend) == ("another", True)


async def test_a_change_that_never_catches_up_is_a_conflict(
    store: KubernetesStore, plane: ControlPlane, tenant: str
) -> None:
    def changed(spec: MemoryTenantSpec) -> MemoryTenantSpec:
        name = f"{spec.display_name}+"
        plane.kubectl("patch", "mt", tenant, "--type=merge", "-p", json.dumps({"spec": {"displayName": name}}))
        return suspended(spec)

    with pytest.raises(ConflictError):
        await store.change(tenant, changed)
    assert spec_of(plane, tenant)["suspend"] is False


async def test_a_tenant_that_goes_meanwhile_is_absent(store: KubernetesStore, plane: ControlPlane, tenant: str) -> None:
    def changed(spec: MemoryTenantSpec) -> MemoryTenantSpec:
        plane.kubectl("delete", "mt", tenant)
        return suspended(spec)

    assert await store.change(tenant, changed) is None
    assert await store.delete(tenant) is False
    assert await store.get(tenant) is None


@pytest.mark.parametrize("name", [".", "..", "", "../memorytiers/pro", "acme?dryRun=All", "acme/status", "a\0b"])
async def test_a_name_never_leads_to_another_address(store: KubernetesStore, tenant: str, name: str) -> None:
    assert await store.get(name) is None
    assert await store.change(name, suspended) is None
    assert await store.delete(name) is False
    found = await store.get(tenant)
    assert found is not None
    assert not found.spec.suspend


async def test_a_cluster_out_of_reach_is_said_so(nowhere: Path) -> None:
    async with kubernetes_store(nowhere) as store:
        with pytest.raises(UnavailableError):
            await store.tiers()


async def test_a_tenant_whose_namespace_is_there_cannot_be_made(store: KubernetesStore, plane: ControlPlane) -> None:
    plane.kubectl("create", "namespace", "loci-earlier")
    spec = MemoryTenantSpec(tier="pro")
    with pytest.raises(ConflictError, match="Namespace loci-earlier of an earlier tenant"):
        await store.create(MemoryTenant(metadata=ObjectMeta(name="earlier"), spec=spec))
    assert await store.get("earlier") is None


def test_its_account_may_do_nothing_else(plane: ControlPlane) -> None:
    account(plane, "admin")
    permitted, anybodys = (
        set(plane.kubectl("auth", "can-i", "--list", f"--as=system:serviceaccount:loci-system:{name}").splitlines())
        for name in ("loci-admin", "one-without-rules")
    )
    assert sorted(line.split(maxsplit=1)[0] + line[line.rindex(" [") :] for line in permitted - anybodys) == [
        "memorytenants.loci.dev [get list create patch delete]",
        "memorytiers.loci.dev [list]",
        "namespaces [get]",
    ]
