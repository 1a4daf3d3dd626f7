"""Making tenants on a cluster with kubectl, and looking at what becomes of them."""

from __future__ import annotations

import base64
import json
from typing import Any

from loci_dev.cluster.controlplane import ControlPlane
from loci_dev.rigs.processes import wait_until

KINDS = "resourcequota,limitrange,networkpolicy,serviceaccount,secret,configmap,service,pdb,statefulset"


class Tenants:
    """The tenants of one cluster; `made` are the names applied through it."""

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
        """An object, or a list of them."""
        document: dict[str, Any] = json.loads(
            self.plane.kubectl("get", *arguments, "-o", "json", "--show-managed-fields")
        )
        return document

    def status(self, name: str) -> dict[str, Any]:
        """A tenant's status."""
        found: dict[str, Any] = self.get("mt", name).get("status", {})
        return found

    def condition(self, name: str, type_: str) -> dict[str, Any]:
        """One condition; empty while there is none."""
        return next((c for c in self.status(name).get("conditions", []) if c["type"] == type_), {})

    def children(self, name: str) -> list[dict[str, Any]]:
        """The tenant's own objects in its namespace."""
        items: list[dict[str, Any]] = self.get(KINDS, "-n", f"loci-{name}", "-l", f"loci.dev/tenant={name}")["items"]
        return items

    def names(self, name: str) -> set[str]:
        """Those objects as Kind/name."""
        return {f"{c['kind']}/{c['metadata']['name']}" for c in self.children(name)}

    def record(self, name: str) -> dict[str, Any]:
        """What the ingress knows of the tenant."""
        secret = self.get("secret", f"registry-{name}", "-n", "loci-system")
        record: dict[str, Any] = json.loads(base64.b64decode(secret["data"]["record.json"]))
        return record

    def settled(self, name: str) -> None:
        """Wait until every object was applied."""
        wait_until(lambda: self.condition(name, "NamespaceReady").get("status") == "True", f"{name} is applied")

    def exists(self, *arguments: str) -> bool:
        """Whether there is such an object."""
        return bool(self.uid(*arguments))

    def uid(self, *arguments: str) -> str:
        """Which object it is; empty when there is none."""
        return self.plane.kubectl("get", *arguments, "--ignore-not-found", "-o", "jsonpath={.metadata.uid}")
