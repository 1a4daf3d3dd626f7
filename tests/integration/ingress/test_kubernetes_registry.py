"""The registry Secrets on a real API server, read under a ServiceAccount that may do no more than that."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator

import pytest

from loci_contract import keys
from loci_contract.names import LABEL_REGISTRY, REGISTRY_DATA_KEY, REGISTRY_TENANT, registry_secret
from loci_contract.registry import RegistryRecord
from loci_dev.cluster.controlplane import ControlPlane, control_plane, restart_api_server
from loci_dev.rigs.tenants import key_record, record
from loci_policy.metrics import Metrics
from loci_policy.registry.follower import Registry
from loci_policy.registry.kubernetes import kubernetes_source
from loci_policy.table import Table

NAMESPACE, ACCOUNT = "loci-system", "loci-ingress"


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    with control_plane(tmp_path_factory.mktemp("plane")) as running:
        running.kubectl("create", "namespace", NAMESPACE)
        running.kubectl("create", "serviceaccount", ACCOUNT, "-n", NAMESPACE)
        running.kubectl("create", "role", ACCOUNT, "-n", NAMESPACE, "--verb=list,watch", "--resource=secrets")
        account = f"{NAMESPACE}:{ACCOUNT}"
        running.kubectl(
            "create", "rolebinding", ACCOUNT, "-n", NAMESPACE, f"--role={ACCOUNT}", f"--serviceaccount={account}"
        )
        yield running


def write(plane: ControlPlane, tenant: RegistryRecord) -> None:
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": registry_secret(tenant.tenant),
            "namespace": NAMESPACE,
            "labels": {LABEL_REGISTRY: REGISTRY_TENANT},
        },
        "stringData": {REGISTRY_DATA_KEY: tenant.model_dump_json()},
    }
    plane.kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", stdin=json.dumps(secret))


@pytest.fixture
async def registry(plane: ControlPlane) -> AsyncIterator[Registry]:
    following = Registry(Table(), Metrics())
    async with kubernetes_source(NAMESPACE, plane.kubeconfig_for(NAMESPACE, ACCOUNT)) as source:
        task = asyncio.create_task(following.follow(source))
        await until(lambda: following.synced)
        yield following
        task.cancel()
        await asyncio.wait([task])


async def until(condition: Callable[[], bool], seconds: float = 30) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - any condition, not only what could signal
            await asyncio.sleep(0.01)


@pytest.mark.invariant(4)
async def test_a_key_comes_and_is_revoked_as_its_secret_says(plane: ControlPlane, registry: Registry) -> None:
    key = keys.generate("acme")
    await asyncio.to_thread(write, plane, record("acme", key_record(key)))
    await until(lambda: registry.table.find(key) is not None)
    await asyncio.to_thread(write, plane, record("acme"))
    await until(lambda: registry.table.find(key) is None)
    await asyncio.to_thread(write, plane, record("acme", key_record(key)))
    await until(lambda: registry.table.find(key) is not None)
    await asyncio.to_thread(plane.kubectl, "delete", "secret", registry_secret("acme"), "-n", NAMESPACE)
    await until(lambda: registry.table.find(key) is None)


async def test_other_secrets_are_nothing_to_it(plane: ControlPlane, registry: Registry) -> None:
    key = keys.generate("beta")
    await asyncio.to_thread(plane.kubectl, "create", "secret", "generic", "registry-other", "-n", NAMESPACE)
    await asyncio.to_thread(write, plane, record("beta", key_record(key)))
    await until(lambda: registry.table.find(key) is not None)
    assert len(registry.table) == 1


async def test_the_last_state_serves_while_the_api_server_is_away(plane: ControlPlane, registry: Registry) -> None:
    key = keys.generate("gamma")
    await asyncio.to_thread(write, plane, record("gamma", key_record(key)))
    await until(lambda: registry.table.find(key) is not None)
    plane.processes["kube-apiserver"].kill()
    restarted = restart_api_server(plane, plane.folder / "again.log")
    starting = asyncio.create_task(asyncio.to_thread(restarted.__enter__))
    try:
        await until(lambda: not registry.connected)
        assert registry.table.find(key) is not None
        await starting
        await until(lambda: registry.connected)
        await asyncio.to_thread(write, plane, record("gamma"))
        await until(lambda: registry.table.find(key) is None)
    finally:
        await starting
        restarted.__exit__(None, None, None)
