"""etcd, kube-apiserver with RBAC and kube-controller-manager (and scheduler) as processes on this machine.

Tests use it on the loopback address; `make cluster` binds it to the node's bridge so that pods reach it too.
"""

from __future__ import annotations

import contextlib
import json
import ssl
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from loci_dev.cluster.kubectl import kubectl
from loci_dev.cluster.pki import Authority, Pair
from loci_dev.rigs.processes import free_port, running, stop
from loci_dev.tools.catalog import tool

SERVICE_RANGE = "10.96.0.0/16"
POD_RANGE = "10.98.0.0/16"
_API_SERVICE = "10.96.0.1"
_LOOPBACK = "127.0.0.1"


@dataclass
class ControlPlane:
    """A running control plane: its address, and credentials for its users."""

    folder: Path
    server: str
    authority: Authority
    admin: Pair
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def ca(self) -> Path:
        """The CA certificate that signed the API server's certificate."""
        return self.authority.pair.certificate

    @property
    def kubeconfig(self) -> Path:
        """Kubeconfig of a member of system:masters."""
        return self.folder / "admin.kubeconfig"

    def certificate_kubeconfig(self, name: str, organization: str | None = None) -> Path:
        """Kubeconfig of a user or node that authenticates with a client certificate."""
        pair = self.authority.issue(name, organization)
        user = {"client-certificate": str(pair.certificate), "client-key": str(pair.key)}
        return self._write_kubeconfig(name.replace(":", "-"), user)

    def kubeconfig_for(self, namespace: str, service_account: str) -> Path:
        """Kubeconfig of a ServiceAccount with a token that is valid for a day."""
        token = self.kubectl("create", "token", service_account, "-n", namespace, "--duration=24h").strip()
        return self._write_kubeconfig(f"{namespace}-{service_account}", {"token": token})

    def kubectl(self, *arguments: str, stdin: str | None = None) -> str:
        """Run kubectl as an administrator and return its output; CalledProcessError carries `stderr`."""
        done = kubectl(self.kubeconfig, *arguments, stdin=stdin)
        done.check_returncode()
        return done.stdout

    def is_ready(self) -> bool:
        """Whether the API server reports that it is ready."""
        context = ssl.create_default_context(cafile=str(self.ca))
        context.load_cert_chain(self.admin.certificate, self.admin.key)
        try:
            answer = httpx.get(f"{self.server}/readyz", verify=context, timeout=2)
        except httpx.TransportError:
            return False
        return answer.is_success

    def _write_kubeconfig(self, name: str, user: dict[str, str]) -> Path:
        path = self.folder / f"{name}.kubeconfig"
        path.touch(mode=0o600)
        path.write_text(json.dumps(_kubeconfig(self.server, self.ca, user)))
        return path


@contextlib.contextmanager
def control_plane(
    folder: Path,
    *,
    address: str = _LOOPBACK,
    port: int | None = None,
    scheduler: bool = False,
    log: Path | None = None,
) -> Iterator[ControlPlane]:
    """Run a control plane for the duration of the block.

    Args:
        folder: where its data, keys and logs go.
        address: the address that clients, and pods, reach the API server by.
        port: of the API server; a free one by default.
        scheduler: whether pods are to be scheduled.
        log: folder for the logs, `folder` by default.
    """
    folder.mkdir(parents=True, exist_ok=True)
    authority = Authority(folder / "pki")
    port = port or free_port()
    admin = authority.issue("loci-admin", "system:masters")
    plane = ControlPlane(folder, f"https://{address}:{port}", authority, admin)
    plane.certificate_kubeconfig("admin", "system:masters")
    logs = log or folder
    etcd = f"http://127.0.0.1:{free_port()}"
    with contextlib.ExitStack() as stack:

        def start(name: str, command: Sequence[str | Path], **more: Any) -> None:
            plane.processes[name] = stack.enter_context(running([tool(name), *command], logs / f"{name}.log", **more))

        start("etcd", _etcd(folder, etcd))
        start("kube-apiserver", _apiserver(plane, etcd, address, port), ready=plane.is_ready, seconds=90)
        start("kube-controller-manager", _controller_manager(plane))
        if scheduler:
            config = plane.certificate_kubeconfig("system:kube-scheduler")
            start("kube-scheduler", [f"--kubeconfig={config}", "--leader-elect=false", "--secure-port=0"])
        yield plane


def restart_api_server(plane: ControlPlane, log: Path) -> contextlib.AbstractContextManager[subprocess.Popen[bytes]]:
    """Restart the API server with the same arguments, for tests of clients that must survive a restart."""
    process = plane.processes["kube-apiserver"]
    stop(process)
    assert isinstance(process.args, list)
    return running([str(a) for a in process.args], log, ready=plane.is_ready, seconds=90)


def _etcd(folder: Path, client: str) -> list[str]:
    peer = f"http://127.0.0.1:{free_port()}"
    return [
        f"--data-dir={folder / 'etcd'}",
        f"--listen-client-urls={client}",
        f"--advertise-client-urls={client}",
        f"--listen-peer-urls={peer}",
        f"--initial-advertise-peer-urls={peer}",
        f"--initial-cluster=default={peer}",
        "--unsafe-no-fsync",
        "--log-level=warn",
    ]


def _apiserver(plane: ControlPlane, etcd: str, address: str, port: int) -> list[str]:
    authority = plane.authority
    hosts = [_LOOPBACK, address, _API_SERVICE, "localhost", "kubernetes.default.svc", "kubernetes"]
    serving = authority.issue("kube-apiserver", hosts=list(dict.fromkeys(hosts)))
    kubelet_client = authority.issue("kube-apiserver-kubelet-client", "system:masters")
    accounts = authority.signing_key("service-accounts")
    return [
        f"--etcd-servers={etcd}",
        f"--bind-address={_LOOPBACK if address == _LOOPBACK else '0.0.0.0'}",
        *_advertise(address),
        f"--secure-port={port}",
        f"--service-cluster-ip-range={SERVICE_RANGE}",
        f"--tls-cert-file={serving.certificate}",
        f"--tls-private-key-file={serving.key}",
        f"--client-ca-file={authority.pair.certificate}",
        "--authorization-mode=Node,RBAC",
        "--enable-admission-plugins=NodeRestriction",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-key-file={accounts.certificate}",
        f"--service-account-signing-key-file={accounts.key}",
        f"--kubelet-certificate-authority={authority.pair.certificate}",
        f"--kubelet-client-certificate={kubelet_client.certificate}",
        f"--kubelet-client-key={kubelet_client.key}",
        "--kubelet-preferred-address-types=InternalIP",
        f"--cert-dir={plane.folder / 'pki'}",
        "--allow-privileged=true",
        "--v=1",
    ]


def _advertise(address: str) -> list[str]:
    if address != _LOOPBACK:
        return [f"--advertise-address={address}"]
    # A loopback address may not be advertised: name one that is nobody's, and publish no endpoint for it.
    return ["--advertise-address=192.0.2.1", "--endpoint-reconciler-type=none"]


def _controller_manager(plane: ControlPlane) -> list[str]:
    pair = plane.authority.pair
    return [
        f"--kubeconfig={plane.certificate_kubeconfig('system:kube-controller-manager')}",
        "--leader-elect=false",
        "--secure-port=0",
        "--use-service-account-credentials=true",
        f"--service-account-private-key-file={plane.folder / 'pki' / 'service-accounts.key'}",
        f"--root-ca-file={pair.certificate}",
        f"--cluster-signing-cert-file={pair.certificate}",
        f"--cluster-signing-key-file={pair.key}",
        # ReplicaSets and Pods of many tenants at once; the default is 20 requests/s.
        "--kube-api-qps=200",
        "--kube-api-burst=400",
        # Volumes as folders of this machine, for the tenants' claims.
        "--enable-hostpath-provisioner=true",
        f"--cluster-cidr={POD_RANGE}",
        "--allocate-node-cidrs=false",
    ]


def _kubeconfig(server: str, ca: Path, user: dict[str, str]) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "loci", "cluster": {"server": server, "certificate-authority": str(ca)}}],
        "users": [{"name": "loci", "user": user}],
        "contexts": [{"name": "loci", "context": {"cluster": "loci", "user": "loci"}}],
        "current-context": "loci",
    }
