"""The registry Secrets on a real API server, read under a ServiceAccount that may do no more than that."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from loci_contract import keys
from loci_contract.names import LABEL_REGISTRY, REGISTRY_DATA_KEY, REGISTRY_TENANT, registry_secret
from loci_contract.registry import RegistryRecord
from loci_dev.cluster.controlplane import ControlPlane, control_plane, restart_api_server
from loci_dev.rigs.silent_proxy import SilentProxy, silent_proxy
from loci_dev.rigs.tenants import key_record, record
from loci_kubernetes.watch import BOUND_SECONDS
from loci_policy.metrics import Metrics
from loci_policy.registry.follower import Registry
from loci_policy.registry.kubernetes import kubernetes_source
from loci_policy.registry.updates import Alive, Lost, Snapshot, Update
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


@pytest.fixture
def proxied(plane: ControlPlane, tmp_path: Path) -> Iterator[tuple[SilentProxy, Path]]:
    """A proxy in front of the API server, and a kubeconfig of the account that goes through it."""
    config = json.loads(plane.kubeconfig_for(NAMESPACE, ACCOUNT).read_text())
    with silent_proxy(int(plane.server.rsplit(":", 1)[1])) as proxy:
        config["clusters"][0]["cluster"]["server"] = f"https://127.0.0.1:{proxy.port}"
        path = tmp_path / "proxied.kubeconfig"
        path.write_text(json.dumps(config))
        yield proxy, path


async def test_a_half_open_connection_is_noticed_and_remade_within_the_bound(
    plane: ControlPlane, proxied: tuple[SilentProxy, Path]
) -> None:
    proxy, kubeconfig = proxied
    key = keys.generate("delta")
    await asyncio.to_thread(write, plane, record("delta", key_record(key)))
    metrics = Metrics()
    following = Registry(Table(), metrics)
    stale: list[bool] = []
    async with kubernetes_source(NAMESPACE, kubeconfig) as source:

        async def follow() -> None:
            async for update in source.updates():
                following.apply(update)
                stale.append(following.stale)

        def knows(*, wanted: bool) -> bool:
            return (following.table.find(key) is not None) is wanted

        task = asyncio.create_task(follow())
        await until(partial(knows, wanted=True))
        # A watch that is renewed just then has another connection, which is not silent: then the next round counts.
        for keys_now in ([], [key_record(key)], []):
            proxy.silence()
            assert proxy.silenced > 0
            await asyncio.to_thread(write, plane, record("delta", *keys_now))
            await until(partial(knows, wanted=bool(keys_now)), BOUND_SECONDS)
            if True in stale:
                break
        task.cancel()
        await asyncio.wait([task])
    assert True in stale, "the follower never said that it was stale"
    assert metrics.collector_registry.get_sample_value("loci_policy_registry_stale") == 0


async def test_a_quiet_connection_is_not_taken_for_a_broken_one(plane: ControlPlane) -> None:
    seen: list[Update] = []
    async with kubernetes_source(NAMESPACE, plane.kubeconfig_for(NAMESPACE, ACCOUNT)) as source:
        updates = source.updates()
        async with asyncio.timeout(60):
            while sum(isinstance(update, Alive) for update in seen) < 4:  # two watches after one another
                seen.append(await anext(updates))
    assert [update for update in seen if isinstance(update, Lost)] == []
    assert sum(isinstance(update, Snapshot) for update in seen) == 1


async def test_the_last_state_serves_while_the_api_server_is_away(plane: ControlPlane, registry: Registry) -> None:
    # Last in this file: the API server ends with it.
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
