"""State of tenants' namespaces: their owner, and what blocks the deletion of a terminating one."""

from __future__ import annotations

from typing import Any, Final

from loci_contract.names import namespace
from loci_kubernetes.api import Api
from loci_kubernetes.kinds import NAMESPACE
from loci_operator.cluster.observer import Observer
from loci_operator.reconcile.admit import NamespaceState
from loci_operator.reconcile.observed import ObjectRef
from loci_operator.specs.namespace import STORAGE_PROFILE, TENANT_UID
from loci_resources.storage import PLACEMENTS, Placement
from loci_resources.tier import StorageProfile

_REMAINING: Final = (
    "NamespaceFinalizersRemaining",
    "NamespaceContentRemaining",
    "NamespaceDeletionContentFailure",
    "NamespaceDeletionDiscoveryFailure",
    "NamespaceDeletionGroupVersionParsingFailure",
)
"""Namespace conditions that describe what blocks its deletion, most specific first."""


class Namespaces:
    """Namespaces of tenants; queries the API server only if the observer's cache is not enough."""

    def __init__(self, api: Api, observer: Observer) -> None:
        self._api = api
        self._observer = observer

    async def state(self, tenant: str) -> NamespaceState | None:
        """State of the tenant's namespace; None if it does not exist."""
        name = namespace(tenant)
        seen = self._observer.of(tenant).get(ObjectRef("Namespace", "", name))
        if seen is not None and not seen.deleting:
            return NamespaceState(seen.tenant_uid, places=_places(seen.profile))
        found = await self._api.get(NAMESPACE, name)
        return None if found is None else namespace_state(found)


def namespace_state(document: dict[str, Any]) -> NamespaceState:
    """Namespace state from a Namespace object."""
    metadata = document["metadata"]
    conditions = {c["type"]: c for c in document.get("status", {}).get("conditions", ()) if c["status"] == "True"}
    remaining = [str(conditions[type_].get("message", "")) for type_ in _REMAINING if type_ in conditions]
    own = ", ".join(metadata.get("finalizers", ()))
    if own:
        remaining.append(f"The namespace itself has finalizers: {own}.")
    return NamespaceState(
        owner=metadata.get("annotations", {}).get(TENANT_UID, ""),
        terminating="deletionTimestamp" in metadata,
        held_by=" ".join(remaining),
        places=_places(metadata.get("annotations", {}).get(STORAGE_PROFILE, "")),
    )


def _places(annotation: str) -> Placement:
    """Where the data is; without an annotation, the namespace is from before there was a choice."""
    return Placement.parse(annotation) or PLACEMENTS[StorageProfile.EMBEDDED]
