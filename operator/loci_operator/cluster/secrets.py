"""Cache of Secret contents, keyed by resource version, so that a steady state makes no read requests."""

from __future__ import annotations

import base64
import binascii
import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from loci_kubernetes.api import Api, Json
from loci_kubernetes.kinds import SECRET
from loci_operator.cluster.observer import Observer
from loci_operator.reconcile.observed import ObjectRef


@dataclass(frozen=True)
class Given:
    """A Secret's labels and UTF-8 entries."""

    labels: Mapping[str, str]
    entries: Mapping[str, str] = field(repr=False)


class Secrets:
    """Secrets of tenants, cached until their resource version changes."""

    def __init__(self, api: Api, observer: Observer) -> None:
        self._api = api
        self._observer = observer
        self._held: dict[ObjectRef, tuple[str, dict[str, str]]] = {}

    async def read(self, tenant: str, namespace: str, name: str) -> dict[str, str]:
        """UTF-8 entries of a Secret; empty if the Secret does not exist."""
        key = ObjectRef("Secret", namespace, name)
        seen, held = self._observer.of(tenant).get(key), self._held.get(key)
        if seen and held and held[0] == seen.version:
            return held[1]
        found = await self._api.get(SECRET, name, namespace)
        return self.remember(found) if found else {}

    async def given(self, namespace: str, name: str) -> Given | None:
        """A Secret that others made, read each time; None if it does not exist."""
        found = await self._api.get(SECRET, name, namespace)
        return Given(found["metadata"].get("labels", {}), _entries(found)) if found else None

    def remember(self, secret: Json) -> dict[str, str]:
        """Cache a Secret returned by the API server; return its entries."""
        metadata, data = secret["metadata"], _entries(secret)
        self._held[ObjectRef("Secret", metadata["namespace"], metadata["name"])] = (metadata["resourceVersion"], data)
        return data

    def forget(self, namespace: str) -> None:
        """Drop the cached Secrets of a namespace."""
        for key in [key for key in self._held if key.namespace == namespace]:
            del self._held[key]


def _entries(secret: Json) -> dict[str, str]:
    data = {}
    for name, encoded in (secret.get("data") or {}).items():
        with contextlib.suppress(binascii.Error, UnicodeDecodeError):
            data[name] = base64.b64decode(encoded).decode()
    return data
