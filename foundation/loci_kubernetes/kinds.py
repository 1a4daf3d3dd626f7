"""Kinds of objects and their paths in the API."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from loci_contract.names import GROUP, VERSION


@dataclass(frozen=True)
class Kind:
    """A kind of object."""

    api_version: str
    name: str
    plural: str
    namespaced: bool = True

    def path(self, name: str | None = None, namespace: str | None = None) -> str:
        """The API path of one object, of all in a namespace, or of all."""
        prefix = f"/api/{self.api_version}" if "/" not in self.api_version else f"/apis/{self.api_version}"
        inside = f"/namespaces/{namespace}" if namespace else ""
        return f"{prefix}{inside}/{self.plural}" + (f"/{name}" if name else "")


NAMESPACE: Final = Kind("v1", "Namespace", "namespaces", namespaced=False)
SECRET: Final = Kind("v1", "Secret", "secrets")
TENANT: Final = Kind(f"{GROUP}/{VERSION}", "MemoryTenant", "memorytenants", namespaced=False)
TIER: Final = Kind(f"{GROUP}/{VERSION}", "MemoryTier", "memorytiers", namespaced=False)
