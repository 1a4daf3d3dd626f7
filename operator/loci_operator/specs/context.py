"""What the builders work from, and what all their objects share."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from loci_contract.names import LABEL_TENANT, namespace
from loci_contract.registry import KeyRecord, Limits
from loci_resources.tenant import DeletionPolicy, MemoryTenant
from loci_resources.tier import MemoryTier

NAME: Final = "loci-dataplane"
"""The name of most of a tenant's objects, within its namespace."""
MANAGER: Final = "loci-operator"

Manifest = dict[str, Any]


@dataclass(frozen=True)
class Platform:
    """What is the same for every tenant."""

    image: str
    embedder_url: str
    system_namespace: str
    prometheus_namespace: str = "monitoring"
    storage_class_name: str | None = None
    cluster_domain: str = "cluster.local"
    log_level: str = "info"


@dataclass(frozen=True)
class Context:
    """One tenant, all that follows from its spec, and its secrets."""

    tenant: MemoryTenant
    tier: MemoryTier
    limits: Limits
    platform: Platform
    keys: tuple[KeyRecord, ...]
    generated_keys: dict[str, str] = field(repr=False)
    ingress_token: str = field(repr=False)

    @property
    def name(self) -> str:
        """The tenant's name."""
        return self.tenant.metadata.name

    @property
    def namespace(self) -> str:
        """The tenant's namespace."""
        return namespace(self.name)

    @property
    def retains(self) -> bool:
        """Whether namespace and volume outlive the tenant."""
        return self.tenant.spec.deletion_policy is DeletionPolicy.RETAIN


def labels(context: Context) -> dict[str, str]:
    """The labels of every object of a tenant."""
    return {**selector(context), "app.kubernetes.io/part-of": "loci", "app.kubernetes.io/managed-by": MANAGER}


def selector(context: Context) -> dict[str, str]:
    """What tells a tenant's pods from all others."""
    return {
        "app.kubernetes.io/name": NAME,
        "app.kubernetes.io/component": "dataplane",
        "app.kubernetes.io/instance": context.name,
        LABEL_TENANT: context.name,
    }


def metadata(context: Context, name: str = NAME, namespace: str | None = None) -> Manifest:
    """Metadata of a namespaced object that goes with its tenant."""
    return {
        "name": name,
        "namespace": namespace or context.namespace,
        "labels": labels(context),
        "ownerReferences": [owner(context)],
    }


def owner(context: Context) -> Manifest:
    """The reference by which the garbage collector removes an object with its tenant."""
    tenant = context.tenant
    return {
        "apiVersion": tenant.api_version,
        "kind": tenant.kind,
        "name": context.name,
        "uid": tenant.metadata.uid,
        "controller": True,
    }
