"""Pod of a tenant's data plane."""

from __future__ import annotations

from loci_contract import environment
from loci_contract.names import DATAPLANE_PORT
from loci_operator.specs.context import NAME, Context, Manifest
from loci_operator.specs.preparation import admin_volumes, init_container
from loci_operator.specs.security import container_security, pod_security
from loci_operator.specs.store_environment import CONFIG, DATA, env, store_environment
from loci_operator.specs.stores import STORES_SECRET


def pod(context: Context) -> Manifest:
    """Pod of the data plane; its owner adds the volume `data`."""
    config: Manifest = {
        "sources": [{"configMap": {"name": NAME}}, {"secret": {"name": NAME}}, *_store_credentials(context)],
        "defaultMode": 0o440,
    }
    volumes = [{"name": "config", "projected": config}, {"name": "tmp", "emptyDir": {}}]
    preparation = init_container(context)
    return {
        "serviceAccountName": NAME,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": 30,
        "securityContext": pod_security(),
        **({"initContainers": [preparation]} if preparation else {}),
        "containers": [_container(context)],
        "volumes": [*volumes, *admin_volumes(context)],
    }


def _container(context: Context) -> Manifest:
    resources = context.tenant.spec.resources or context.tier.spec.resources
    return {
        "name": "dataplane",
        "image": context.platform.image,
        "args": ["dataplane"],
        "env": env({**_environment(context), **store_environment(context)}),
        "ports": [{"name": "http", "containerPort": DATAPLANE_PORT, "protocol": "TCP"}],
        "resources": resources.model_dump(exclude_none=True),
        "startupProbe": {**_probe("/livez"), "periodSeconds": 1, "failureThreshold": 60},
        "livenessProbe": {**_probe("/livez"), "periodSeconds": 10, "timeoutSeconds": 5},
        "readinessProbe": {**_probe("/readyz"), "periodSeconds": 5},
        "securityContext": container_security(),
        "volumeMounts": [
            {"name": "data", "mountPath": DATA},
            {"name": "config", "mountPath": CONFIG, "readOnly": True},
            {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108 - an emptyDir of the pod, for libraries that need one
        ],
    }


def _environment(context: Context) -> dict[str, str]:
    endpoint = context.platform.otlp_endpoint
    return {
        environment.TENANT: context.name,
        environment.DATA_DIR: DATA,
        environment.INGRESS_TOKEN_FILE: f"{CONFIG}/{environment.INGRESS_TOKEN_FILE_NAME}",
        environment.LIMITS_FILE: f"{CONFIG}/{environment.LIMITS_FILE_NAME}",
        environment.EMBEDDER_URL: context.platform.embedder_url,
        environment.LOG_LEVEL_FILE: f"{CONFIG}/{environment.LOG_LEVEL_FILE_NAME}",
        **({environment.OTLP_ENDPOINT: endpoint} if endpoint else {}),
        "LOCI_HOST": "0.0.0.0",  # noqa: S104 - reachable in the pod network only; protected by the ingress token
    }


def _probe(path: str) -> Manifest:
    return {"httpGet": {"path": path, "port": "http"}}


def _store_credentials(context: Context) -> list[Manifest]:
    return [{"secret": {"name": STORES_SECRET}}] if context.stores.credentials else []
