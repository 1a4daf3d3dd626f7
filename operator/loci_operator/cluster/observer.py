"""Cache of the operator's objects in the cluster, kept up to date by one list-and-watch per kind.

Each watch lists its kind first, then applies changes; after a reconnect it lists again and drops the cached objects
that the new list lacks, so missed deletions are noticed. All kinds but workloads, pods and claims are watched as
metadata only, and the cache keeps a few scalars per object, so memory does not depend on the size of Secrets or
ConfigMaps. A broken watch is logged and resumed. Meanwhile the cache is stale: applies may come late or be repeated,
which is harmless because they are idempotent.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Final

import structlog

from loci_contract.names import LABEL_TENANT
from loci_kubernetes import watch
from loci_kubernetes.api import Api
from loci_kubernetes.kinds import Kind
from loci_operator.cluster.kinds import CLAIM, DEPLOYMENT, OWNED, POD, STATEFUL_SET
from loci_operator.reconcile.observed import ObjectRef, Seen
from loci_operator.reconcile.sight import seen_of
from loci_operator.specs.context import MANAGER

_SELECTOR: Final = f"app.kubernetes.io/managed-by={MANAGER},{LABEL_TENANT}"
_SELECTORS: Final = {CLAIM: LABEL_TENANT}
"""Claims are made by the controller of StatefulSets, with no more labels than their selectors."""
_WATCHED: Final = (*OWNED, POD, CLAIM)
_WHOLE: Final = {STATEFUL_SET, DEPLOYMENT, POD, CLAIM}


class Observer:
    """Caches the objects of every tenant and reports the tenants whose objects changed."""

    def __init__(self, api: Api, changed: Callable[[str], None]) -> None:
        self._api = api
        self._changed = changed
        self._seen: dict[str, dict[ObjectRef, Seen]] = {}
        self._tenant_of: dict[ObjectRef, str] = {}
        self._synced = {kind: asyncio.Event() for kind in _WATCHED}
        self._log = structlog.get_logger()
        self.changes = 0
        """How often what is known changed so far."""

    def of(self, tenant: str) -> Mapping[ObjectRef, Seen]:
        """Cached objects of a tenant."""
        return self._seen.get(tenant, {})

    async def synced(self) -> None:
        """Wait until every kind has been listed."""
        for event in self._synced.values():
            await event.wait()

    async def run(self) -> None:
        """Watch every kind until cancelled."""
        async with asyncio.TaskGroup() as group:
            for kind in _WATCHED:
                group.create_task(self._follow(kind))

    async def _follow(self, kind: Kind) -> None:
        labels = _SELECTORS.get(kind, _SELECTOR)
        watched = watch.Watched(kind, labels=labels, metadata_only=kind not in _WHOLE)
        listed: set[ObjectRef] = set()
        async for update in watch.follow(self._api, watched):
            match update:
                case watch.Found(document):
                    listed.add(_ref(kind, document))
                    self._take_in(kind, document)
                case watch.Changed(document):
                    self._take_in(kind, document)
                case watch.Deleted(document):
                    self._forget(_ref(kind, document))
                case watch.Complete():
                    self._forget_all_but(kind, listed)
                    self._synced[kind].set()
                case watch.Lost(reason):
                    self._log.warning("watch broken", kind=kind.name, error=reason)
            if isinstance(update, watch.Complete | watch.Lost):
                listed.clear()

    def _take_in(self, kind: Kind, document: dict[str, Any]) -> None:
        try:
            self._note(_ref(kind, document), document)
        except Exception as error:  # noqa: BLE001 - one malformed object must not end the watch of its kind
            self._log.error("object is malformed", kind=kind.name, error=type(error).__name__)

    def _note(self, ref: ObjectRef, document: dict[str, Any]) -> None:
        tenant = document["metadata"]["labels"][LABEL_TENANT]
        if self._tenant_of.get(ref, tenant) != tenant:  # relabelled to another tenant
            self._forget(ref)
        objects, seen = self._seen.setdefault(tenant, {}), seen_of(document)
        self._tenant_of[ref] = tenant
        if objects.get(ref) != seen:
            objects[ref] = seen
            self._tell(tenant)

    def _forget(self, ref: ObjectRef) -> None:
        tenant = self._tenant_of.pop(ref, None)
        if tenant is None:
            return
        del self._seen[tenant][ref]
        if not self._seen[tenant]:
            del self._seen[tenant]
        self._tell(tenant)

    def _tell(self, tenant: str) -> None:
        self.changes += 1
        self._changed(tenant)

    def _forget_all_but(self, kind: Kind, there: set[ObjectRef]) -> None:
        for ref in [ref for ref in self._tenant_of if ref.kind == kind.name and ref not in there]:
            self._forget(ref)


def _ref(kind: Kind, document: Mapping[str, Any]) -> ObjectRef:
    metadata = document["metadata"]
    return ObjectRef(kind.name, metadata.get("namespace", ""), metadata["name"])
