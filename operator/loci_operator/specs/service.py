"""Service and PodDisruptionBudget of a tenant's pod."""

from __future__ import annotations

from loci_contract.names import DATAPLANE_PORT
from loci_operator.specs.context import NAME, Context, Manifest, metadata, selector


def service(context: Context) -> Manifest:
    """Service that the ingress routes requests to."""
    ports = [{"name": "http", "port": DATAPLANE_PORT, "targetPort": "http", "protocol": "TCP"}]
    spec = {"type": "ClusterIP", "selector": selector(context), "ports": ports}
    return {"apiVersion": "v1", "kind": "Service", "metadata": metadata(context), "spec": spec}


def host(context: Context) -> str:
    """host:port of the Service."""
    return f"{NAME}.{context.namespace}.svc.{context.platform.cluster_domain}:{DATAPLANE_PORT}"


def disruption_budget(context: Context) -> Manifest:
    """PodDisruptionBudget that allows one unavailable pod, so that a single replica cannot block a node drain."""
    spec = {"maxUnavailable": 1, "selector": {"matchLabels": selector(context)}}
    return {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": metadata(context), "spec": spec}
