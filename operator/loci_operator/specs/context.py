"""Input of the builders, and the metadata that all manifests share."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from loci_contract.names import LABEL_TENANT, namespace
from loci_contract.registry import KeyRecord, Limits
from loci_operator.specs.stores import NO_STORES, DedicatedStores, StoreAccess
from loci_resources.derived import placement, storage_profile
from loci_resources.storage import Placement
from loci_resources.tenant import DeletionPolicy, MemoryTenant
from loci_resources.tier import MemoryTier, StorageProfile

NAME: Final = "loci-dataplane"
"""Name of most objects in a tenant's namespace."""
MANAGER: Final = "loci-operator"

Manifest = dict[str, Any]


@dataclass(frozen=True)
class Platform:
    """Platform settings shared by all tenants."""

    image: str
    embedder_url: str
    system_namespace: str
    prometheus_namespace: str = "monitoring"
    storage_class_name: str | None = None
    cluster_domain: str = "cluster.local"
    log_level: str = "info"
    postgres_egress: tuple[Manifest, ...] = ()
    """Rules of a network policy that lead to the shared PostgreSQL and nowhere else."""
    chroma_egress: tuple[Manifest, ...] = ()
    """Rules that lead to the gate before the shared Chroma."""
    redis_egress: tuple[Manifest, ...] = ()
    """Rules that lead to the shared Redis of caches."""
    dedicated: DedicatedStores | None = None
    """Servers of tenants' own; without these settings there can be none."""
    otlp_endpoint: str | None = None
    """Where tenants' pods export spans to; no tracing when None."""
    otlp_egress: tuple[Manifest, ...] = ()
    """Network policy rules that lead there."""


@dataclass(frozen=True)
class Context:
    """A tenant with everything derived from its spec, and its credentials."""

    tenant: MemoryTenant
    tier: MemoryTier
    limits: Limits
    platform: Platform
    keys: tuple[KeyRecord, ...]
    generated_keys: dict[str, str] = field(repr=False)
    ingress_token: str = field(repr=False)
    stores: StoreAccess = NO_STORES
    """Access to the stores that are not in the tenant's pod."""
    out_of_service: bool = False
    """Whether the ingress rejects all requests, because the tenant's data is lost."""

    @property
    def name(self) -> str:
        """The tenant's name."""
        return self.tenant.metadata.name

    @property
    def namespace(self) -> str:
        """The tenant's namespace."""
        return namespace(self.name)

    @property
    def profile(self) -> StorageProfile:
        """The tenant's storage profile."""
        return storage_profile(self.tenant, self.tier)

    @property
    def placement(self) -> Placement:
        """Where each of the tenant's stores is."""
        return placement(self.tenant, self.tier)

    @property
    def retains(self) -> bool:
        """Whether namespace and volume are kept when the tenant is deleted."""
        return self.tenant.spec.deletion_policy is DeletionPolicy.RETAIN


def labels(context: Context) -> dict[str, str]:
    """Labels of every object of a tenant."""
    return {**selector(context), "app.kubernetes.io/part-of": "loci", "app.kubernetes.io/managed-by": MANAGER}


def selector(context: Context) -> dict[str, str]:
    """Label selector of the tenant's pods."""
    return {
        "app.kubernetes.io/name": NAME,
        "app.kubernetes.io/component": "dataplane",
        "app.kubernetes.io/instance": context.name,
        LABEL_TENANT: context.name,
    }


def metadata(context: Context, name: str = NAME, namespace: str | None = None) -> Manifest:
    """Metadata of a namespaced object owned by the tenant."""
    return {
        "name": name,
        "namespace": namespace or context.namespace,
        "labels": labels(context),
        "ownerReferences": [owner(context)],
    }


def owner(context: Context) -> Manifest:
    """Owner reference, so that the garbage collector deletes the object with its tenant."""
    tenant = context.tenant
    return {
        "apiVersion": tenant.api_version,
        "kind": tenant.kind,
        "name": context.name,
        "uid": tenant.metadata.uid,
        "controller": True,
    }
