"""Workload of a tenant: a StatefulSet with a volume (embedded), or a Deployment without one (shared profile)."""

from __future__ import annotations

from typing import Final

from loci_contract import environment
from loci_contract.names import DATAPLANE_PORT
from loci_operator.specs.context import NAME, Context, Manifest, labels, metadata, selector
from loci_operator.specs.stores import CHROMA_TOKEN, POSTGRES_DSN, STORES_SECRET, StoreAccess

_USER: Final = 65532
_DATA: Final = "/data"
_CONFIG: Final = "/etc/loci"
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
        "template": {"metadata": {"labels": labels(context)}, "spec": _pod(context, {})},
        "volumeClaimTemplates": [_claim(context)],
    }
    return {"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": metadata(context), "spec": spec}


def deployment(context: Context, access: StoreAccess) -> Manifest:
    """The data plane of a tenant with external stores; its folder holds nothing that must last."""
    where = {
        environment.POSTGRES_DSN_FILE: f"{_CONFIG}/{POSTGRES_DSN}",
        environment.CHROMA_URL: access.chroma_url,
        environment.CHROMA_COLLECTION: access.chroma_collection,
        environment.CHROMA_TOKEN_FILE: f"{_CONFIG}/{CHROMA_TOKEN}",
    }
    pod = _pod(context, where)
    pod["volumes"][0]["projected"]["sources"].append({"secret": {"name": STORES_SECRET}})
    pod["volumes"].append({"name": "data", "emptyDir": {"sizeLimit": _SCRATCH}})
    spec = {
        "replicas": 1,
        "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}},
        "selector": {"matchLabels": selector(context)},
        "template": {"metadata": {"labels": labels(context)}, "spec": pod},
    }
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata(context), "spec": spec}


def _pod(context: Context, stores: dict[str, str]) -> Manifest:
    config: Manifest = {
        "sources": [{"configMap": {"name": NAME}}, {"secret": {"name": NAME}}],
        "defaultMode": 0o440,
    }
    return {
        "serviceAccountName": NAME,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": 30,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": _USER,
            "runAsGroup": _USER,
            "fsGroup": _USER,
            "fsGroupChangePolicy": "OnRootMismatch",
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [_container(context, stores)],
        "volumes": [{"name": "config", "projected": config}, {"name": "tmp", "emptyDir": {}}],
    }


def _container(context: Context, stores: dict[str, str]) -> Manifest:
    resources = context.tenant.spec.resources or context.tier.spec.resources
    return {
        "name": "dataplane",
        "image": context.platform.image,
        "args": ["dataplane"],
        "env": [{"name": name, "value": value} for name, value in {**_environment(context), **stores}.items()],
        "ports": [{"name": "http", "containerPort": DATAPLANE_PORT, "protocol": "TCP"}],
        "resources": resources.model_dump(exclude_none=True),
        "startupProbe": {**_probe("/livez"), "periodSeconds": 1, "failureThreshold": 60},
        "livenessProbe": {**_probe("/livez"), "periodSeconds": 10, "timeoutSeconds": 5},
        "readinessProbe": {**_probe("/readyz"), "periodSeconds": 5},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [
            {"name": "data", "mountPath": _DATA},
            {"name": "config", "mountPath": _CONFIG, "readOnly": True},
            {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108 - an emptyDir of the pod, for libraries that need one
        ],
    }


def _environment(context: Context) -> dict[str, str]:
    return {
        environment.TENANT: context.name,
        environment.DATA_DIR: _DATA,
        environment.INGRESS_TOKEN_FILE: f"{_CONFIG}/{environment.INGRESS_TOKEN_FILE_NAME}",
        environment.LIMITS_FILE: f"{_CONFIG}/{environment.LIMITS_FILE_NAME}",
        environment.EMBEDDER_URL: context.platform.embedder_url,
        environment.LOG_LEVEL_FILE: f"{_CONFIG}/{environment.LOG_LEVEL_FILE_NAME}",
        "LOCI_HOST": "0.0.0.0",  # noqa: S104 - reachable in the pod network only; protected by the ingress token
    }


def _probe(path: str) -> Manifest:
    return {"httpGet": {"path": path, "port": "http"}}


def _claim(context: Context) -> Manifest:
    storage = context.tenant.spec.storage
    spec: Manifest = {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": storage.size or context.tier.spec.storage_size}},
    }
    if class_name := storage.storage_class_name or context.platform.storage_class_name:
        spec["storageClassName"] = class_name
    return {"metadata": {"name": "data", "labels": selector(context)}, "spec": spec}
