"""Registry source that lists and watches the operator's registry Secrets, one per tenant."""

from __future__ import annotations

import base64
import binascii
import contextlib
from collections.abc import AsyncIterator, Iterable
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from loci_contract.names import LABEL_REGISTRY, REGISTRY_DATA_KEY, REGISTRY_TENANT, registry_secret
from loci_contract.registry import RegistryRecord
from loci_kubernetes import watch
from loci_kubernetes.api import Api, api
from loci_kubernetes.kinds import SECRET
from loci_policy.registry.updates import Alive, Changed, Lost, Removed, Snapshot, Update, read_record

_SELECTOR: Final = f"{LABEL_REGISTRY}={REGISTRY_TENANT}"
_NAME_PREFIX: Final = registry_secret("")


class KubernetesSource:
    """Follows the registry Secrets of the system namespace.

    A change arrives immediately, or within `watch.BOUND_SECONDS` (10 s) if the connection is half-open.
    """

    def __init__(self, api: Api, namespace: str) -> None:
        self._api = api
        self._watched = watch.Watched(SECRET, labels=_SELECTOR, namespace=namespace)

    async def updates(self) -> AsyncIterator[Update]:
        """Yield a snapshot and the changes after it; on any error yield `Lost` and start over."""
        listed: list[dict[str, Any]] = []
        async for update in watch.follow(self._api, self._watched):
            match update:
                case watch.Found(secret):
                    listed.append(secret)
                    continue
                case watch.Complete():
                    for entry in snapshot(listed):
                        yield entry
                case watch.Lost(reason):
                    yield Lost(reason)
                case _:
                    yield change(update)
            listed.clear()


@contextlib.asynccontextmanager
async def kubernetes_source(namespace: str, kubeconfig: Path | None) -> AsyncIterator[KubernetesSource]:
    """Open the source with the kubeconfig, or with the pod's ServiceAccount if there is none."""
    async with api(kubeconfig, manager="loci-policy") as calls:
        yield KubernetesSource(calls, namespace)


def snapshot(secrets: Iterable[dict[str, Any]]) -> list[Update]:
    """Updates for a list of registry Secrets."""
    read = {_tenant(secret): _record(secret) for secret in secrets}
    invalid = [Removed(tenant, invalid=True) for tenant, record in read.items() if record is None]
    return [Snapshot(tuple(record for record in read.values() if record)), *invalid]


def change(update: watch.Changed | watch.Deleted | watch.Alive) -> Update:
    """Update for a changed registry Secret."""
    match update:
        case watch.Alive():
            return Alive()
        case watch.Deleted(secret):
            return Removed(_tenant(secret))
        case watch.Changed(secret):
            record = _record(secret)
            return Changed(record, _written_at(secret)) if record else Removed(_tenant(secret), invalid=True)


def _tenant(secret: dict[str, Any]) -> str:
    return str(secret["metadata"]["name"]).removeprefix(_NAME_PREFIX)


def _record(secret: dict[str, Any]) -> RegistryRecord | None:
    try:
        document = base64.b64decode(secret.get("data", {}).get(REGISTRY_DATA_KEY, ""), validate=True)
    except binascii.Error:
        return None
    return read_record(_tenant(secret), document)


def _written_at(secret: dict[str, Any]) -> float | None:
    times = [entry["time"] for entry in secret["metadata"].get("managedFields", ()) if "time" in entry]
    return max((datetime.fromisoformat(time).timestamp() for time in times), default=None)
