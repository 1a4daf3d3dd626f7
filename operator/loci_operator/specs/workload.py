"""The tenant's pod, for the embedded profile: one replica with a volume of its own."""

from __future__ import annotations

from typing import Final

from loci_contract import environment
from loci_contract.names import DATAPLANE_PORT
from loci_operator.specs.context import NAME, Context, Manifest, labels, metadata, selector

_USER: Final = 65532
_DATA: Final = "/data"
_CONFIG: Final = "/etc/loci"


def stateful_set(context: Context) -> Manifest:
    """The data plane; nothing in its template depends on limits or keys, so that those change without a restart."""
    spec = {
        "replicas": 1,
        # A pod that cannot start must not keep its own correction from being rolled out.
        "podManagementPolicy": "Parallel",
        "serviceName": NAME,
        "selector": {"matchLabels": selector(context)},
        # Data goes with its namespace alone: a set that somebody deletes is made anew around its volume.
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
            {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108 - the pod's own, for libraries that need one
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
        "LOCI_HOST": "0.0.0.0",  # noqa: S104 - the pod's own network; the ingress token guards it
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
