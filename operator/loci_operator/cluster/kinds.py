"""Kubernetes kinds that the operator reads and writes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from loci_kubernetes.kinds import NAMESPACE, SECRET, TENANT, TIER, Kind

STATEFUL_SET: Final = Kind("apps/v1", "StatefulSet", "statefulsets")
DEPLOYMENT: Final = Kind("apps/v1", "Deployment", "deployments")

POD: Final = Kind("v1", "Pod", "pods")
CLAIM: Final = Kind("v1", "PersistentVolumeClaim", "persistentvolumeclaims")
STORAGE_CLASS: Final = Kind("storage.k8s.io/v1", "StorageClass", "storageclasses", namespaced=False)
EVENT: Final = Kind("v1", "Event", "events")

OWNED: Final = (
    NAMESPACE,
    Kind("v1", "ResourceQuota", "resourcequotas"),
    Kind("v1", "LimitRange", "limitranges"),
    Kind("networking.k8s.io/v1", "NetworkPolicy", "networkpolicies"),
    Kind("v1", "ServiceAccount", "serviceaccounts"),
    SECRET,
    Kind("v1", "ConfigMap", "configmaps"),
    Kind("v1", "Service", "services"),
    Kind("policy/v1", "PodDisruptionBudget", "poddisruptionbudgets"),
    STATEFUL_SET,
    DEPLOYMENT,
)
_BY_NAME: Final = {kind.name: kind for kind in (*OWNED, TENANT, TIER)}


def kind_of(manifest: Mapping[str, Any]) -> Kind:
    """The kind of a manifest."""
    return _BY_NAME[manifest["kind"]]
