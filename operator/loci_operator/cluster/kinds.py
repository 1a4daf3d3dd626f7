"""The kinds of objects that the operator reads and writes, and their paths in the API."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from loci_contract.names import GROUP, VERSION


@dataclass(frozen=True)
class Kind:
    """A kind of object."""

    api_version: str
    name: str
    plural: str
    namespaced: bool = True

    def path(self, name: str | None, namespace: str | None) -> str:
        """The API path of one object, or of all."""
        prefix = f"/api/{self.api_version}" if "/" not in self.api_version else f"/apis/{self.api_version}"
        inside = f"/namespaces/{namespace}" if namespace else ""
        return f"{prefix}{inside}/{self.plural}" + (f"/{name}" if name else "")


NAMESPACE: Final = Kind("v1", "Namespace", "namespaces", namespaced=False)
SECRET: Final = Kind("v1", "Secret", "secrets")
STATEFUL_SET: Final = Kind("apps/v1", "StatefulSet", "statefulsets")
TENANT: Final = Kind(f"{GROUP}/{VERSION}", "MemoryTenant", "memorytenants", namespaced=False)
TIER: Final = Kind(f"{GROUP}/{VERSION}", "MemoryTier", "memorytiers", namespaced=False)

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
)
_BY_NAME: Final = {kind.name: kind for kind in (*OWNED, TENANT, TIER)}


def kind_of(manifest: Mapping[str, Any]) -> Kind:
    """The kind of a manifest."""
    return _BY_NAME[manifest["kind"]]
