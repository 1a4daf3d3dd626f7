"""Install Loci's chart into the local cluster as a platform team would, and print how to use it."""

from __future__ import annotations

from typing import Any, Final

from loci_dev import chart
from loci_dev.cluster import images
from loci_dev.cluster.kubectl import kubectl
from loci_dev.cluster.state import INGRESS_PORT, NODE_ADDRESS, State
from loci_dev.tools.catalog import tool

NAMESPACE: Final = "loci-system"
ENDPOINT: Final = f"http://{NODE_ADDRESS}:{INGRESS_PORT}"


def install(state: State, loci_image: str) -> None:
    """Run `helm upgrade --install` with the local images and wait until all pods are ready."""
    try:
        chart.install(state.kubeconfig, "--wait", "--timeout", "180s", **_local_values(loci_image))
    except ValueError as error:
        raise RuntimeError(f"helm could not install the chart:\n{error}\n{_pods(state)}") from error


def explain(state: State) -> None:
    """Print how to use the cluster."""
    print(f"""
  export KUBECONFIG={state.kubeconfig}
  export PATH={tool("kubectl").parent}:$PATH
  kubectl apply -f examples/tenant-acme.yaml""")
    print(
        _WITH_NODE
        if state.has_node
        else _WITHOUT_NODE.format(admin_key=state.folder / "admin-key", port=state.ingress_port)
    )


_WITH_NODE: Final = f"""  kubectl wait mt/acme --for=condition=Ready --timeout=60s
  KEY=$(kubectl get secret loci-api-keys -n loci-acme -o jsonpath='{{.data.default}}' | base64 -d)
  curl -H "Authorization: Bearer $KEY" -d '{{"content": "Ada likes green tea"}}' {ENDPOINT}/v1/memories
  curl -H "Authorization: Bearer $KEY" -d '{{"query": "what does Ada drink?"}}' {ENDPOINT}/v1/memories/search

  make cluster-down   # removes all of it
"""
_WITHOUT_NODE: Final = """  kubectl get mt,ns
  curl -H "Authorization: Bearer $(cat {admin_key})" http://127.0.0.1:{port}/admin/tenants

  There is no node (it takes root): tenants get every object and a place at the ingress, their pods stay pending.
  make cluster-down   # removes all of it
"""


def _local_values(loci_image: str) -> dict[str, Any]:
    def reference(name: str) -> dict[str, str]:
        repository, tag = name.rsplit(":", 1)
        return {"repository": repository, "tag": tag}

    return {
        "image": reference(loci_image),
        "ingress": {
            "image": reference(images.ENVOY_IMAGE),
            "service": {"type": "NodePort", "nodePort": INGRESS_PORT},
        },
        "redis": {"image": reference(images.REDIS_IMAGE)},
        "stores": {
            "postgres": {"enabled": True, "image": reference(images.POSTGRES_IMAGE), "storage": {"size": "1Gi"}},
            "chroma": {"enabled": True, "storage": {"size": "1Gi"}},
            "dedicated": {
                **{store: {"resources": _small("256Mi")} for store in ("postgres", "gate", "redis")},
                "chroma": {"resources": _small("1Gi")},
                "neo4j": {
                    "image": reference(images.NEO4J_IMAGE),
                    "heap": "192m",
                    "pageCache": "64m",
                    "resources": _small("768Mi"),
                },
            },
        },
    }


def _small(memory: str) -> dict[str, Any]:
    """Compute of a tenant's own store, on a machine with few cores."""
    return {"requests": {"cpu": "10m", "memory": "64Mi"}, "limits": {"memory": memory}}


def _pods(state: State) -> str:
    return kubectl(state.kubeconfig, "get", "pods", "-n", NAMESPACE, "-o", "wide").stdout
