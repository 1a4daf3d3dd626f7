"""Warnings of Kubernetes' controllers about tenants' objects: why no pod was made, no volume provisioned or mounted.

Some causes are told by Events alone, which have no labels: each reason is watched in the whole cluster, and what is in
other namespaces is dropped. The last message for each object is kept while its Event exists (an hour by default), so a
reader must check that the problem is still there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from loci_contract.names import is_tenant_name, namespace
from loci_kubernetes import watch
from loci_kubernetes.api import Api
from loci_operator.cluster.kinds import EVENT
from loci_operator.reconcile.observed import ObjectRef

_REASONS: Final = (
    ("StatefulSet", "FailedCreate"),
    ("PersistentVolumeClaim", "ProvisioningFailed"),
    ("PersistentVolumeClaim", "VolumeResizeFailed"),
    ("Pod", "FailedMount"),
    ("Pod", "FailedAttachVolume"),
    ("Pod", "FailedCreatePodSandBox"),
)
_PREFIX: Final = namespace("")


class Warned(NamedTuple):
    """A warning: its reason, and the controller's message."""

    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class _Held:
    ref: ObjectRef
    warned: Warned


class Warnings:
    """The last warning about each object in tenants' namespaces."""

    def __init__(self, api: Api, changed: Callable[[str], None]) -> None:
        self._api = api
        self._changed = changed
        self._held: dict[str, _Held] = {}

    def about(self, ref: ObjectRef) -> Warned | None:
        """The last warning about an object that is still kept, or None."""
        return next((held.warned for held in reversed(self._held.values()) if held.ref == ref), None)

    async def run(self) -> None:
        """Watch until cancelled."""
        async with asyncio.TaskGroup() as group:
            for kind, reason in _REASONS:
                group.create_task(self._follow(kind, reason))

    async def _follow(self, kind: str, reason: str) -> None:
        fields = f"involvedObject.kind={kind},reason={reason}"
        async for update in watch.follow(self._api, watch.Watched(EVENT, fields=fields)):
            match update:
                case watch.Found(event) | watch.Changed(event):
                    self._take_in(event)
                case watch.Deleted(event):
                    self._held.pop(event["metadata"]["uid"], None)
                case _:
                    pass

    def _take_in(self, event: dict[str, Any]) -> None:
        about = event["involvedObject"]
        place: str = about.get("namespace", "")
        tenant = place.removeprefix(_PREFIX)
        if tenant == place or not is_tenant_name(tenant):
            return
        held = _Held(ObjectRef(about["kind"], place, about["name"]), Warned(event["reason"], event.get("message", "")))
        if self._held.pop(event["metadata"]["uid"], None) != held:
            self._changed(tenant)
        self._held[event["metadata"]["uid"]] = held
