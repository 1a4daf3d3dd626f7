"""One node that runs real pods: containerd, kubelet, kube-proxy and CoreDNS, inside its own Linux namespaces.

The whole cluster lives in its own process, mount and network namespaces (`supervisor.py`), so that ending one process
takes every container, mount, bridge and iptables rule with it, after a crash too.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from loci_dev.cluster.controlplane import POD_RANGE, ControlPlane
from loci_dev.rigs.processes import running
from loci_dev.tools.catalog import tool

NODE_NAME: Final = "loci-node"
SANDBOX_IMAGE: Final = "localhost/pause:local"
CGROUP: Final = "/loci-cluster"
DNS_SERVICE: Final = "10.96.0.10"
_DNS_PORT: Final = 53


@contextlib.contextmanager
def node(plane: ControlPlane, folder: Path, address: str) -> Iterator[None]:
    """Run a node for the duration of the block; `folder` holds its state, `address` is its IP address."""
    containerd = folder / "containerd"
    containerd.mkdir(parents=True, exist_ok=True)
    socket = containerd / "containerd.sock"
    (containerd / "config.toml").write_text(_containerd_config(containerd, _network_config(containerd)))
    kubelet_config = folder / "kubelet.json"
    kubelet_config.write_text(json.dumps(_kubelet_config(plane, folder, socket, address)))
    proxy_config = folder / "kube-proxy.json"
    proxy_config.write_text(json.dumps(_proxy_config(plane)))
    with contextlib.ExitStack() as stack:

        def start(name: str, *arguments: str | Path, **more: Any) -> None:
            stack.enter_context(running([tool(name), *arguments], folder / f"{name}.log", **more))

        start("containerd", "--config", containerd / "config.toml", ready=socket.exists)
        kubeconfig = plane.certificate_kubeconfig(f"system:node:{NODE_NAME}", "system:nodes")
        start(
            "kubelet",
            f"--config={kubelet_config}",
            f"--kubeconfig={kubeconfig}",
            f"--hostname-override={NODE_NAME}",
            f"--node-ip={address}",
            f"--root-dir={folder / 'kubelet'}",
            f"--cert-dir={folder / 'kubelet' / 'pki'}",
            ready=lambda: _is_node_ready(plane),
        )
        start("kube-proxy", f"--config={proxy_config}", f"--hostname-override={NODE_NAME}")
        start("coredns", "-conf", _corefile(plane, folder, address))
        _publish_dns(plane, address)
        yield


def _is_node_ready(plane: ControlPlane) -> bool:
    query = '{.status.conditions[?(@.type=="Ready")].status}'
    with contextlib.suppress(subprocess.CalledProcessError):
        return plane.kubectl("get", "node", NODE_NAME, "-o", f"jsonpath={query}") == "True"
    return False


def _containerd_config(folder: Path, network: Path) -> str:
    return f"""version = 2
root = "{folder}/root"
state = "{folder}/state"
[grpc]
address = "{folder}/containerd.sock"
[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "{SANDBOX_IMAGE}"
# Lowering a process's OOM score takes CAP_SYS_RESOURCE, which a container host may lack.
restrict_oom_score_adj = true
[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "/usr/lib/cni"
conf_dir = "{network}"
"""


def _network_config(folder: Path) -> Path:
    network = folder / "cni"
    network.mkdir(exist_ok=True)
    bridge = {
        "type": "bridge",
        "bridge": "pods0",
        "isGateway": True,
        "ipMasq": True,
        "hairpinMode": True,
        "ipam": {
            "type": "host-local",
            "dataDir": str(folder / "addresses"),
            "ranges": [[{"subnet": POD_RANGE}]],
            "routes": [{"dst": "0.0.0.0/0"}],
        },
    }
    plugins = [bridge, {"type": "portmap", "capabilities": {"portMappings": True}}]
    document = {"cniVersion": "1.0.0", "name": "loci", "plugins": plugins}
    (network / "10-loci.conflist").write_text(json.dumps(document))
    return network


def _kubelet_config(plane: ControlPlane, folder: Path, socket: Path, address: str) -> dict[str, Any]:
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": str(plane.ca)},
        },
        "authorization": {"mode": "Webhook"},
        "tlsCertFile": str(
            (serving := plane.authority.issue("kubelet-serving", hosts=[address, NODE_NAME])).certificate
        ),
        "tlsPrivateKeyFile": str(serving.key),
        "containerRuntimeEndpoint": f"unix://{socket}",
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": CGROUP,
        "clusterDNS": [DNS_SERVICE],
        "clusterDomain": "cluster.local",
        "resolvConf": str(_resolv_conf(folder)),
        "podLogsDir": str(folder / "pod-logs"),
        # What a container host cannot give: cgroup v2, no swap, file system quotas.
        "failCgroupV1": False,
        "failSwapOn": False,
        "localStorageCapacityIsolation": False,
        "enforceNodeAllocatable": ["none"],
        "evictionHard": {"memory.available": "100Mi"},
        "maxPods": 250,
        "serializeImagePulls": False,
        "imageGCHighThresholdPercent": 100,
    }


def _resolv_conf(folder: Path) -> Path:
    path = folder / "resolv.conf"
    path.write_text("")
    return path


def _proxy_config(plane: ControlPlane) -> dict[str, Any]:
    return {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "mode": "iptables",
        "clusterCIDR": POD_RANGE,
        "clientConnection": {"kubeconfig": str(plane.certificate_kubeconfig("system:kube-proxy"))},
        "conntrack": {"maxPerCore": 0, "min": 0},
    }


def _corefile(plane: ControlPlane, folder: Path, address: str) -> Path:
    path = folder / "Corefile"
    path.write_text(f""".:{_DNS_PORT} {{
    bind {address}
    errors
    kubernetes cluster.local in-addr.arpa {{
        kubeconfig {plane.kubeconfig}
        ttl 5
    }}
    cache 5
}}
""")
    return path


def _publish_dns(plane: ControlPlane, address: str) -> None:
    """Manifests of the cluster's DNS Service, served by the CoreDNS process on the node."""
    ports = [{"name": name, "port": _DNS_PORT, "protocol": name.upper()} for name in ("udp", "tcp")]
    metadata = {"name": "kube-dns", "namespace": "kube-system"}
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata,
        "spec": {"clusterIP": DNS_SERVICE, "ports": ports},
    }
    endpoints = {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {**metadata, "labels": {"kubernetes.io/service-name": "kube-dns"}},
        "addressType": "IPv4",
        "endpoints": [{"addresses": [address]}],
        "ports": ports,
    }
    plane.kubectl(
        "apply", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": [service, endpoints]})
    )
