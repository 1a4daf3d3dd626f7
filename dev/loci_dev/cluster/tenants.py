"""Create tenants in a cluster with kubectl and inspect their objects."""

from __future__ import annotations

import base64
import json
from typing import Any

from loci_dev.cluster.controlplane import ControlPlane
from loci_dev.rigs.processes import wait_until

KINDS = "resourcequota,limitrange,networkpolicy,serviceaccount,secret,configmap,service,pdb,statefulset,deployment"


class Tenants:
    """The tenants of one cluster; `made` holds the names of those created through it."""

    def __init__(self, plane: ControlPlane) -> None:
        self.plane = plane
        self.made: set[str] = set()

    def apply(self, name: str, annotations: dict[str, str] | None = None, **spec: Any) -> None:
        """Apply a tenant of tier pro with these spec fields."""
        self.made.add(name)
        document = {
            "apiVersion": "loci.dev/v1alpha1",
            "kind": "MemoryTenant",
            "metadata": {"name": name, "annotations": annotations or {}},
            "spec": {"tier": "pro", **spec},
        }
        self.plane.kubectl("apply", "-f", "-", stdin=json.dumps(document))

    def get(self, *arguments: str) -> dict[str, Any]:
        """Return an object, or a list of objects."""
        document: dict[str, Any] = json.loads(
            self.plane.kubectl("get", *arguments, "-o", "json", "--show-managed-fields")
        )
        return document

    def status(self, name: str) -> dict[str, Any]:
        """Return a tenant's status."""
        found: dict[str, Any] = self.get("mt", name).get("status", {})
        return found

    def condition(self, name: str, type_: str) -> dict[str, Any]:
        """Return a status condition, or an empty dictionary while it is absent."""
        return next((c for c in self.status(name).get("conditions", []) if c["type"] == type_), {})

    def children(self, name: str) -> list[dict[str, Any]]:
        """Return the objects in the tenant's namespace that belong to it."""
        items: list[dict[str, Any]] = self.get(KINDS, "-n", f"loci-{name}", "-l", f"loci.dev/tenant={name}")["items"]
        return items

    def names(self, name: str) -> set[str]:
        """Return those objects as Kind/name."""
        return {f"{c['kind']}/{c['metadata']['name']}" for c in self.children(name)}

    def record(self, name: str) -> dict[str, Any]:
        """Return the tenant's registry record."""
        secret = self.get("secret", f"registry-{name}", "-n", "loci-system")
        record: dict[str, Any] = json.loads(base64.b64decode(secret["data"]["record.json"]))
        return record

    def settled(self, name: str) -> None:
        """Wait until every object was applied."""
        wait_until(lambda: self.condition(name, "NamespaceReady").get("status") == "True", f"{name} is applied")

    def exists(self, *arguments: str) -> bool:
        """Whether the object exists."""
        return bool(self.uid(*arguments))

    def uid(self, *arguments: str) -> str:
        """Return the object's UID; empty when it does not exist."""
        return self.plane.kubectl("get", *arguments, "--ignore-not-found", "-o", "jsonpath={.metadata.uid}")
