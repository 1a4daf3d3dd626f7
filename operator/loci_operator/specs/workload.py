"""Workload of a tenant: a StatefulSet with a volume where the pod keeps data itself, else a Deployment."""

from __future__ import annotations

from typing import Final

from loci_operator.specs.context import NAME, Context, Manifest, labels, metadata, selector
from loci_operator.specs.pod import pod
from loci_operator.specs.volumes import claim
from loci_resources.storage import GraphKind, StoreKind

_SCRATCH: Final = "2Gi"


def stateful_set(context: Context) -> Manifest:
    """StatefulSet of the data plane; its template is independent of limits and keys, so these need no restart."""
    spec = {
        "replicas": 1,
        # With OrderedReady, a pod that cannot start would block the rollout of its own fix.
        "podManagementPolicy": "Parallel",
        "serviceName": NAME,
        "selector": {"matchLabels": selector(context)},
        # Volumes are deleted only with their namespace, so that a recreated set finds its data.
        "persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Retain", "whenScaled": "Retain"},
        "template": {"metadata": {"labels": labels(context)}, "spec": pod(context)},
        "volumeClaimTemplates": [claim(context, selector(context))],
    }
    return {"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": metadata(context), "spec": spec}


def deployment(context: Context) -> Manifest:
    """Deployment of the data plane of a tenant that keeps no data in its pods."""
    template = pod(context)
    template["volumes"].append({"name": "data", "emptyDir": {"sizeLimit": _SCRATCH}})
    template["topologySpreadConstraints"] = [_spread(context, key) for key in _SPREAD]
    spec = {
        "replicas": context.tenant.spec.replicas or _default_replicas(context),
        "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}},
        "selector": {"matchLabels": selector(context)},
        "template": {"metadata": {"labels": labels(context)}, "spec": template},
    }
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata(context), "spec": spec}


_OWN_STORES_REPLICAS: Final = 2
_SPREAD: Final = ("topology.kubernetes.io/zone", "kubernetes.io/hostname")


def _default_replicas(context: Context) -> int:
    has_own = {StoreKind.DEDICATED.value, GraphKind.NEO4J.value} & context.placement.kinds
    return _OWN_STORES_REPLICAS if has_own else 1


def _spread(context: Context, key: str) -> Manifest:
    """Prefer different zones and nodes; where there is but one, the pods share it."""
    return {
        "maxSkew": 1,
        "topologyKey": key,
        "whenUnsatisfiable": "ScheduleAnyway",
        "labelSelector": {"matchLabels": selector(context)},
    }
