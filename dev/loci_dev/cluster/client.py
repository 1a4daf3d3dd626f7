"""Clients of the local cluster: kubectl, and HTTP through the ingress."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import Any

import httpx

from loci_dev.cluster.install import ENDPOINT, NAMESPACE
from loci_dev.cluster.kubectl import kubectl
from loci_dev.cluster.state import State
from loci_dev.rigs.processes import wait_until


@dataclass(frozen=True)
class Cluster:
    """A running local cluster."""

    state: State
    endpoint: str = ENDPOINT

    def kubectl(self, *arguments: str, stdin: str | None = None) -> str:
        """Run kubectl and return its output; RuntimeError carries its error output."""
        done = kubectl(self.state.kubeconfig, *arguments, stdin=stdin)
        if done.returncode:
            raise RuntimeError(f"kubectl {' '.join(arguments)}: {done.stderr.strip()}")
        return done.stdout

    def get(self, *arguments: str) -> dict[str, Any]:
        """Return an object, or a list of objects, as JSON."""
        document: dict[str, Any] = json.loads(self.kubectl("get", *arguments, "-o", "json"))
        return document

    def exists(self, *arguments: str) -> bool:
        """Whether the object exists."""
        return bool(self.kubectl("get", *arguments, "--ignore-not-found", "-o", "name").strip())

    def running_pod(self, namespace: str) -> str:
        """Wait for a running pod that is not terminating and return its name."""
        names: list[str] = []

        def is_there() -> bool:
            names[:] = [p["metadata"]["name"] for p in self.get("pods", "-n", namespace)["items"] if _runs_on(p)]
            return bool(names)

        wait_until(is_there, f"a pod runs in {namespace}", 120, interval=0.5)
        return names[0]

    def secret(self, namespace: str, name: str, key: str) -> str:
        """Return one decoded entry of a Secret."""
        return base64.b64decode(self.get("secret", name, "-n", namespace)["data"][key]).decode()

    def admin_key(self) -> str:
        """The admin key that the chart generated."""
        return self.secret(NAMESPACE, "loci-admin-key", "key")

    def http(self, key: str) -> httpx.Client:
        """Return an HTTP client of the ingress that sends an API key or the admin key."""
        return httpx.Client(base_url=self.endpoint, headers={"Authorization": f"Bearer {key}"}, timeout=30)


def _runs_on(pod: dict[str, Any]) -> bool:
    return pod["status"].get("phase") == "Running" and "deletionTimestamp" not in pod["metadata"]
