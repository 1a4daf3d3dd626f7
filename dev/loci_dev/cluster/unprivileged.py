"""A cluster without a node, for users other than root: the control plane, and Loci's processes beside it.

Each process runs under its own ServiceAccount with the chart's rules, as on a node; tenants' pods stay pending, since
nothing here can run them.
"""

from __future__ import annotations

import contextlib
import secrets
import sys
from collections.abc import Iterator
from pathlib import Path

from loci_contract.keys import sha256
from loci_contract.names import EMBEDDER_PORT, SYSTEM_NAMESPACE
from loci_dev.chart import CHART
from loci_dev.cluster.accounts import account
from loci_dev.cluster.controlplane import ControlPlane
from loci_dev.rigs.ingress import envoy, policy, render
from loci_dev.rigs.pod import answers
from loci_dev.rigs.processes import free_port, running
from loci_dev.rigs.redis import redis


@contextlib.contextmanager
def platform(plane: ControlPlane, folder: Path, port: int) -> Iterator[None]:
    """Run operator, admin API and ingress as processes for the duration of the block; `port` is the ingress."""
    install(plane)
    admin_key = secrets.token_urlsafe(32)
    (folder / "admin-key").touch(mode=0o600)
    (folder / "admin-key").write_text(admin_key)
    with contextlib.ExitStack() as stack:
        store = stack.enter_context(redis(folder))
        stack.enter_context(operator(plane, folder))
        admin = stack.enter_context(admin_api(plane, folder, admin_key))
        settings = {
            "KUBECONFIG": str(account(plane, "ingress")),
            "LOCI_REDIS_URL": store.url,
            "LOCI_ADMIN_KEY_SHA256": sha256(admin_key),
        }
        decisions = stack.enter_context(policy(folder, settings))
        own_port = free_port()
        config = render(
            folder / "envoy.yaml",
            ingress={
                "listen": {"address": "127.0.0.1", "port": port},
                "adminPort": own_port,
                "adminApi": {"host": "127.0.0.1", "port": int(admin.rpartition(":")[2])},
            },
            policy={"socket": str(decisions.socket)},
        )
        stack.enter_context(envoy(folder, config, port, own_port))
        yield


def install(plane: ControlPlane) -> None:
    """Create the namespace, the custom resources' definitions and the tiers."""
    plane.kubectl("create", "namespace", SYSTEM_NAMESPACE)
    plane.kubectl("apply", "--server-side", "-f", str(CHART / "crds"))
    plane.kubectl("wait", "crd", "--all", "--for=condition=Established", "--timeout=30s")
    plane.kubectl("apply", "-f", str(CHART / "files" / "tiers.yaml"))


@contextlib.contextmanager
def operator(plane: ControlPlane, folder: Path, **settings: str) -> Iterator[str]:
    """Run the operator under its own account; the address of its health and metrics."""
    kubeconfig, port = str(account(plane, "operator")), free_port()
    environment = {
        "KUBECONFIG": kubeconfig,
        "LOCI_IMAGE": "loci",
        "LOCI_EMBEDDER_URL": f"http://loci-embedder.{SYSTEM_NAMESPACE}.svc:{EMBEDDER_PORT}",
        "LOCI_HEALTH_PORT": str(port),
        **settings,
    }
    url, command = f"http://127.0.0.1:{port}", [sys.executable, "-m", "loci_operator"]
    with running(command, folder / "operator.log", ready=answers(f"{url}/healthz"), environment=environment):
        yield url


@contextlib.contextmanager
def admin_api(plane: ControlPlane, folder: Path, admin_key: str, **settings: str) -> Iterator[str]:
    """Run the admin API under its own account; its address."""
    port = free_port()
    environment = {
        "KUBECONFIG": str(account(plane, "admin")),
        "LOCI_ADMIN_KEY_SHA256": sha256(admin_key),
        "LOCI_PORT": str(port),
        **settings,
    }
    url, command = f"http://127.0.0.1:{port}", [sys.executable, "-m", "loci_admin"]
    with running(command, folder / "admin.log", ready=answers(f"{url}/readyz"), environment=environment):
        yield url
