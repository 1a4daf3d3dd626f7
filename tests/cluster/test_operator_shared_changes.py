"""Tenants of the shared profile while the platform changes, or their schema goes; each test runs the only operator."""

from __future__ import annotations

import base64
import contextlib
import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from loci_dev.cluster.accounts import account
from loci_dev.cluster.controlplane import ControlPlane
from loci_dev.cluster.tenants import Tenants
from loci_dev.rigs.chroma_gate import PROVISIONER_TOKEN, chroma_gate
from loci_dev.rigs.postgres import Cluster, postgres_cluster
from loci_dev.rigs.processes import wait_until

SHARED = {"profile": "shared"}
Start = Callable[..., AbstractContextManager[Path]]


@pytest.fixture(scope="module")
def postgres() -> Iterator[Cluster]:
    with postgres_cluster() as cluster, cluster.running():
        cluster.execute("CREATE DATABASE loci")
        yield cluster


@pytest.fixture(scope="module")
def start(
    postgres: Cluster, plane: ControlPlane, start_operator: Start, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Start]:
    """Starts an operator with the stores."""
    with chroma_gate(tmp_path_factory.mktemp("gate"), account(plane, "chroma")) as gate:

        def made(**settings: str) -> AbstractContextManager[Path]:
            stores = {
                "LOCI_POSTGRES_ADMIN_DSN": postgres.dsn(database="loci"),
                "LOCI_CHROMA_URL": gate.url,
                "LOCI_CHROMA_PROVISIONER_TOKEN": PROVISIONER_TOKEN,
            }
            return start_operator(**stores, **settings)

        yield made


@pytest.fixture
def tenants(tenants: Tenants, start: Start) -> Iterator[Tenants]:
    """Tenants whose end needs an operator, since their stores have to be released."""
    yield tenants
    with start():
        for name in tenants.made:
            tenants.plane.kubectl("delete", "mt", name, "--timeout=60s")


def pods(tenants: Tenants, name: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = tenants.get("pods", "-n", f"loci-{name}")["items"]
    return [pod for pod in items if "deletionTimestamp" not in pod["metadata"]]


def images(tenants: Tenants, name: str) -> list[str]:
    return [pod["spec"]["containers"][0]["image"] for pod in pods(tenants, name)]


def make_ready(tenants: Tenants, name: str) -> None:
    """What a kubelet says of pods that are ready; those that are on their way out end at once."""
    for pod in tenants.get("pods", "-n", f"loci-{name}")["items"]:
        arguments = ("pod", pod["metadata"]["name"], "-n", f"loci-{name}")
        status = {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}
        with contextlib.suppress(Exception):
            tenants.plane.kubectl(
                "patch", *arguments, "--subresource=status", "--type=merge", "-p", json.dumps({"status": status})
            )


def serves(tenants: Tenants, name: str) -> bool:
    make_ready(tenants, name)
    return tenants.status(name).get("phase") == "Ready"


def test_another_image_reaches_deployments_in_waves_too(tenants: Tenants, start: Start) -> None:
    first, second = "wave-one", "wave-two"
    with start():
        for name in (first, second):
            tenants.apply(name, storage=SHARED)
        wait_until(lambda: serves(tenants, first) and serves(tenants, second), "both serve")
    with start(LOCI_IMAGE="loci:2", LOCI_ROLLOUT_AT_ONCE="1"):
        wait_until(lambda: "loci:2" in images(tenants, first), "the first is updated")
        wait_until(lambda: tenants.condition(second, "UpToDate").get("reason") == "WaitingForTurn", "the second waits")
        assert images(tenants, second) == ["loci:test"]
        assert tenants.condition(second, "Ready")["status"] == "True"
        wait_until(lambda: serves(tenants, first), "the first is ready")
        wait_until(lambda: "loci:2" in images(tenants, second), "the second comes next")
        wait_until(lambda: serves(tenants, second), "the second is ready")
        wait_until(lambda: tenants.condition(second, "UpToDate").get("status") == "True", "all are up to date")


def test_a_schema_that_is_gone_is_told_and_not_made_anew_until_that_is_acknowledged(
    tenants: Tenants, start: Start, postgres: Cluster
) -> None:
    name = "dropped"
    with start():
        tenants.apply(name, storage=SHARED)
        tenants.settled(name)
        wait_until(lambda: "data" in tenants.status(name), "the share is recorded")
    first = tenants.status(name)["data"]["id"]
    postgres.execute(f"DROP SCHEMA tenant_{name} CASCADE", database="loci")
    with start():
        wait_until(lambda: tenants.condition(name, "Ready").get("reason") == "DataLost", "it says so")
        exists = f"DO $$ BEGIN ASSERT to_regnamespace('tenant_{name}') IS NULL; END $$"
        postgres.execute(exists, database="loci")
        command = tenants.condition(name, "StoresReady")["message"].partition("kubectl ")[2]
        tenants.plane.kubectl(*command.split())
        wait_until(lambda: tenants.condition(name, "StoresReady").get("status") == "True", "it is made anew")
        wait_until(lambda: tenants.status(name)["data"]["id"] != first, "another share is recorded")


def test_a_role_that_somebody_changed_is_repaired_when_the_operator_starts_again(
    tenants: Tenants, start: Start, postgres: Cluster
) -> None:
    with start():
        tenants.apply("drifting", storage=SHARED)
        tenants.settled("drifting")
    data = tenants.get("secret", "loci-stores", "-n", "loci-drifting")["data"]
    dsn = base64.b64decode(data["postgres-dsn"]).decode()
    postgres.execute("ALTER ROLE tenant_drifting PASSWORD 'another' NOLOGIN", database="loci")

    def lets_in() -> bool:
        try:
            postgres.execute(f"\\c {dsn}")
        except Exception:  # noqa: BLE001 - psql says no more than that it failed
            return False
        return True

    assert not lets_in()
    with start():
        wait_until(lets_in, "the role is let in again")
    assert tenants.get("secret", "loci-stores", "-n", "loci-drifting")["data"] == data
