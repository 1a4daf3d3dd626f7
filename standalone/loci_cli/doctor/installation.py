"""The installation under examination: access to its objects, and the settings of its processes."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlsplit

from loci_contract.names import SYSTEM_NAMESPACE
from loci_kubernetes.api import Api, Json
from loci_kubernetes.connection import Connection
from loci_kubernetes.kinds import SECRET, Kind

DEPLOYMENT: Final = Kind("apps/v1", "Deployment", "deployments")
PART_OF_LOCI: Final = "app.kubernetes.io/part-of=loci"


class FaultError(Exception):
    """The installation lacks an object that a check reads; `fix` says what to do."""

    def __init__(self, message: str, fix: str) -> None:
        super().__init__(message)
        self.fix = fix


@dataclass(frozen=True, slots=True)
class Reference:
    """An entry of a Secret in the installation's namespace."""

    secret: str
    key: str


@dataclass(frozen=True, slots=True)
class Installation:
    """An installation.

    Args:
        connection: to the API server.
        api: calls over the connection.
        namespace: that Loci is installed in.
        is_inside: whether this process runs in the cluster, so that it can reach Services.
        now: the local clock, in UTC.
    """

    connection: Connection
    api: Api
    namespace: str = SYSTEM_NAMESPACE
    is_inside: bool = False
    now: Callable[[], datetime] = datetime.now

    async def deployments(self) -> list[Json]:
        """The Deployments of the platform; FaultError when there are none."""
        if found := await self.api.list(DEPLOYMENT, self.namespace, labelSelector=PART_OF_LOCI):
            return found
        raise FaultError(
            f"Namespace {self.namespace} has no Deployment labelled {PART_OF_LOCI}.",
            "Name the namespace of the Helm release with --namespace, or install the chart.",
        )

    async def setting(self, process: str, variable: str) -> str | None:
        """Value of an environment variable of a process, read from its Secret if it refers to one; None if unset."""
        entry = await self._entry(process, variable)
        if reference := _reference(entry):
            return await self.secret_value(reference)
        return entry.get("value")

    async def reference(self, process: str, variable: str) -> Reference | None:
        """The Secret entry that an environment variable is read from, if any."""
        return _reference(await self._entry(process, variable))

    async def secret_value(self, reference: Reference) -> str:
        """Value of a Secret entry; FaultError when it is missing or not text."""
        secret = await self.api.get(SECRET, reference.secret, self.namespace)
        encoded = ((secret or {}).get("data") or {}).get(reference.key)
        try:
            if encoded:
                return base64.b64decode(encoded).decode()
        except UnicodeDecodeError:
            pass
        name = f"{self.namespace}/{reference.secret}"
        lack = "does not exist" if secret is None else f"has no text under the key {reference.key!r}"
        raise FaultError(f"Secret {name} {lack}.", "Create it, then restart the Deployment that reads it.")

    def reaches(self, host: str) -> bool:
        """Whether this process is expected to reach a host: names of Services mean nothing outside the cluster."""
        return self.is_inside or not is_service_name(host)

    async def _entry(self, process: str, variable: str) -> dict[str, Any]:
        entries = (
            entry
            for deployment in await self.deployments()
            for container in deployment["spec"]["template"]["spec"]["containers"]
            if container["name"] == process
            for entry in container.get("env", [])
        )
        return next((entry for entry in entries if entry["name"] == variable), {})


def is_service_name(host: str) -> bool:
    """Whether a host can only be resolved by the cluster's DNS: `name`, `name.namespace.svc` or a longer form."""
    return host != "localhost" and (("." not in host and ":" not in host) or host.endswith(".svc") or ".svc." in host)


def host_and_port(url: str, default_port: int) -> tuple[str, int]:
    """Host and port of an address; the host is empty if it has none.

    Raises:
        ValueError: the port is no number.
    """
    parts = urlsplit(url)
    return parts.hostname or "", parts.port or default_port


def _reference(entry: dict[str, Any]) -> Reference | None:
    found = entry.get("valueFrom", {}).get("secretKeyRef")
    return Reference(found["name"], found["key"]) if found else None
