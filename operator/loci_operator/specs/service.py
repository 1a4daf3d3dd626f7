"""The address of the tenant's pod inside the cluster, and its disruption budget."""

from __future__ import annotations

from loci_contract.names import DATAPLANE_PORT
from loci_operator.specs.context import NAME, Context, Manifest, metadata, selector


def service(context: Context) -> Manifest:
    """The Service that the ingress routes to."""
    ports = [{"name": "http", "port": DATAPLANE_PORT, "targetPort": "http", "protocol": "TCP"}]
    spec = {"type": "ClusterIP", "selector": selector(context), "ports": ports}
    return {"apiVersion": "v1", "kind": "Service", "metadata": metadata(context), "spec": spec}


def host(context: Context) -> str:
    """host:port of the Service."""
    return f"{NAME}.{context.namespace}.svc.{context.platform.cluster_domain}:{DATAPLANE_PORT}"


def disruption_budget(context: Context) -> Manifest:
    """One replica may be away: with a single one, draining a node moves it instead of waiting for ever."""
    spec = {"maxUnavailable": 1, "selector": {"matchLabels": selector(context)}}
    return {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": metadata(context), "spec": spec}
