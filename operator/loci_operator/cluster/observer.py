"""Cache of the operator's objects in the cluster, kept up to date by one list-and-watch per kind.

Each watch lists its kind first, then applies changes; after a reconnect it lists again and drops the cached objects
that the new list lacks, so missed deletions are noticed. All kinds but StatefulSets and Pods are watched as metadata
only, and the cache keeps a few scalars per object, so memory does not depend on the size of Secrets or ConfigMaps. A
broken watch is logged and resumed. Meanwhile the cache is stale: applies may come late or be repeated, which is
harmless because they are idempotent.
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
from loci_operator.cluster.kinds import DEPLOYMENT, OWNED, POD, STATEFUL_SET
from loci_operator.reconcile.causes import pod_problem
from loci_operator.reconcile.observed import HASH, ObjectRef, Seen
from loci_operator.reconcile.rollout import ROLLOUT
from loci_operator.specs.context import MANAGER
from loci_operator.specs.namespace import STORAGE_PROFILE, TENANT_UID

_SELECTOR: Final = f"app.kubernetes.io/managed-by={MANAGER},{LABEL_TENANT}"
_WATCHED: Final = (*OWNED, POD)


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
        watched = watch.Watched(kind, labels=_SELECTOR, metadata_only=kind not in {STATEFUL_SET, DEPLOYMENT, POD})
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
        objects, seen = self._seen.setdefault(tenant, {}), _seen(document)
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


def _seen(document: dict[str, Any]) -> Seen:
    metadata = document["metadata"]
    annotations = metadata.get("annotations", {})
    status = document.get("status", {})
    return Seen(
        version=metadata["resourceVersion"],
        hash=annotations.get(HASH, ""),
        foreign=any(_is_foreign(entry) for entry in metadata.get("managedFields", ())),
        deleting="deletionTimestamp" in metadata,
        ready=_is_ready(document),
        tenant_uid=annotations.get(TENANT_UID, ""),
        profile=annotations.get(STORAGE_PROFILE, ""),
        replicas=document.get("spec", {}).get("replicas"),
        serving=_is_serving(document),
        updated=_is_updated(document),
        rollout=annotations.get(ROLLOUT, ""),
        problem=pod_problem(document) if "containerStatuses" in status or "conditions" in status else None,
    )


def _is_foreign(entry: Mapping[str, Any]) -> bool:
    return entry.get("manager") != MANAGER and "subresource" not in entry


def _is_ready(document: Mapping[str, Any]) -> bool:
    """Whether the latest template is rolled out, but for pods that a StatefulSet's partition holds, and ready."""
    status, spec = document.get("status", {}), document.get("spec", {})
    replicas = spec.get("replicas", 0)
    held = spec.get("updateStrategy", {}).get("rollingUpdate", {}).get("partition", 0)
    current = status.get("observedGeneration") == document["metadata"].get("generation")
    counted = min(status.get("readyReplicas", 0), status.get("updatedReplicas", 0) + held)
    return bool(replicas) and current and counted >= replicas


def _is_serving(document: Mapping[str, Any]) -> bool:
    replicas = document.get("spec", {}).get("replicas", 0)
    return bool(replicas) and document.get("status", {}).get("readyReplicas", 0) >= replicas


def _is_updated(document: Mapping[str, Any]) -> bool:
    """The controller makes the update revision the current one when all pods have it and are ready."""
    status = document.get("status", {})
    current = status.get("observedGeneration") == document["metadata"].get("generation")
    return bool(current and status.get("currentRevision") == status.get("updateRevision"))
