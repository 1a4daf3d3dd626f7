"""StatefulSet of a tenant with the embedded profile: one replica with its own volume."""

from __future__ import annotations

from typing import Final

from loci_contract import environment
from loci_contract.names import DATAPLANE_PORT
from loci_operator.specs.context import NAME, Context, Manifest, labels, metadata, selector

_USER: Final = 65532
_DATA: Final = "/data"
_CONFIG: Final = "/etc/loci"


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
        "template": {"metadata": {"labels": labels(context)}, "spec": _pod(context)},
        "volumeClaimTemplates": [_claim(context)],
    }
    return {"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": metadata(context), "spec": spec}


def _pod(context: Context) -> Manifest:
    config = {
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
        "containers": [_container(context)],
        "volumes": [{"name": "config", "projected": config}, {"name": "tmp", "emptyDir": {}}],
    }


def _container(context: Context) -> Manifest:
    resources = context.tenant.spec.resources or context.tier.spec.resources
    return {
        "name": "dataplane",
        "image": context.platform.image,
        "args": ["dataplane"],
        "env": [{"name": name, "value": value} for name, value in _environment(context).items()],
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
        environment.LOG_LEVEL: context.platform.log_level,
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
