"""The objects that every store of a tenant's own has: Secret, StatefulSet, Service and network policy.

Only the tenant's data plane may connect to a store, and a store connects to nothing. Each also asks for a credential,
since a network plugin may not enforce policies. Volumes are deleted only with their namespace.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import orjson

from loci_operator.specs.context import Context, Manifest, metadata, selector
from loci_operator.specs.encoding import secret_data
from loci_operator.specs.security import LOCI_USER, container_security, pod_security
from loci_operator.specs.volumes import claim

CONFIG: Final = "/etc/loci"
DATA: Final = "/data"
_CREDENTIALS: Final = "loci.dev/credentials"
"""Annotation of a pod: digest of its Secret, so that other credentials restart it."""


@dataclass(frozen=True)
class Server:
    """One store of a tenant's own.

    Args:
        component: its name, such as postgres; objects are called loci-postgres.
        port: port that the data plane connects to.
        containers: its containers; volumes `data` (with `has_volume`), `config` and `tmp` are there to be mounted.
        secrets: entries of its Secret, which are files in the volume `config`.
        user: user and group of the containers.
        has_volume: whether it keeps data.
        grace_seconds: time to stop.
    """

    component: str
    port: int
    containers: tuple[Manifest, ...]
    secrets: Mapping[str, str] = field(repr=False)
    user: int = LOCI_USER
    has_volume: bool = True
    grace_seconds: int = 60

    @property
    def name(self) -> str:
        """Name of its objects."""
        return f"loci-{self.component}"


def host(component: str, namespace: str, cluster_domain: str) -> str:
    """Host name of a store's Service."""
    return f"loci-{component}.{namespace}.svc.{cluster_domain}"


def objects(context: Context, server: Server) -> list[Manifest]:
    """All manifests of a store."""
    return [
        _secret(context, server),
        _policy(context, server),
        _service(context, server),
        _stateful_set(context, server),
    ]


def container(name: str, image: str, resources: Mapping[str, Any], **more: Any) -> Manifest:
    """A container that meets the restricted standard."""
    return {"name": name, "image": image, "resources": dict(resources), "securityContext": container_security(), **more}


def mount(name: str, path: str, *, read_only: bool = False) -> Manifest:
    """A mounted volume."""
    return {"name": name, "mountPath": path, **({"readOnly": True} if read_only else {})}


def probes(check: Manifest, *, start_seconds: int) -> Manifest:
    """Probes of a store: recovery after a crash may take `start_seconds`; a store that hangs is restarted."""
    return {
        "startupProbe": {**check, "periodSeconds": 2, "failureThreshold": start_seconds // 2},
        "readinessProbe": {**check, "periodSeconds": 5, "timeoutSeconds": 3},
        "livenessProbe": {**check, "periodSeconds": 20, "timeoutSeconds": 10, "failureThreshold": 6},
    }


def peer(component: str, context: Context) -> Manifest:
    """Selector of a store's pods for network policies."""
    return {"podSelector": {"matchLabels": _selector(context, component)}}


def _selector(context: Context, component: str) -> dict[str, str]:
    return {
        **selector(context),
        "app.kubernetes.io/name": f"loci-{component}",
        "app.kubernetes.io/component": component,
    }


def _metadata(context: Context, server: Server) -> Manifest:
    meta = metadata(context, server.name)
    return {**meta, "labels": {**meta["labels"], **_selector(context, server.component)}}


def _secret(context: Context, server: Server) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": _metadata(context, server),
        "type": "Opaque",
        "data": secret_data(server.secrets),
    }


def _policy(context: Context, server: Server) -> Manifest:
    ports = [{"port": server.port, "protocol": "TCP"}]
    callers = [{"podSelector": {"matchLabels": selector(context)}}]
    spec = {
        "podSelector": {"matchLabels": _selector(context, server.component)},
        "policyTypes": ["Ingress", "Egress"],
        "ingress": [{"from": callers, "ports": ports}],
        "egress": [],
    }
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": _metadata(context, server),
        "spec": spec,
    }


def _service(context: Context, server: Server) -> Manifest:
    ports = [{"name": server.component, "port": server.port, "targetPort": server.port, "protocol": "TCP"}]
    spec = {"type": "ClusterIP", "selector": _selector(context, server.component), "ports": ports}
    return {"apiVersion": "v1", "kind": "Service", "metadata": _metadata(context, server), "spec": spec}


def _stateful_set(context: Context, server: Server) -> Manifest:
    meta = _metadata(context, server)
    digest = hashlib.sha256(orjson.dumps(dict(server.secrets), option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]
    spec = {
        "replicas": 1,
        # With OrderedReady, a pod that cannot start would block the rollout of its own fix.
        "podManagementPolicy": "Parallel",
        "serviceName": server.name,
        "selector": {"matchLabels": _selector(context, server.component)},
        # Volumes are deleted only with their namespace, so that a recreated set finds its data.
        "persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Retain", "whenScaled": "Retain"},
        "template": {
            "metadata": {"labels": meta["labels"], "annotations": {_CREDENTIALS: digest}},
            "spec": _pod(server),
        },
        "volumeClaimTemplates": [claim(context, _selector(context, server.component))] if server.has_volume else [],
    }
    return {"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": meta, "spec": spec}


def _pod(server: Server) -> Manifest:
    config = {"secretName": server.name, "defaultMode": 0o440}
    return {
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": server.grace_seconds,
        "securityContext": pod_security(server.user),
        "containers": list(server.containers),
        "volumes": [{"name": "config", "secret": config}, {"name": "tmp", "emptyDir": {}}],
    }
