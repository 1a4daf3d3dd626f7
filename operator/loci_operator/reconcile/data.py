"""Whether a tenant's data is still there: the identity that its status records against the one that is found. Pure.

The identity is the uid of the volume's claim, or a digest made when a share of the shared stores is created. When
another claim is found, or none, the data is lost, and the tenant stays out of service until an annotation names the
lost identity. So each loss is acknowledged by itself: an annotation that stays in a manifest covers no later one.
"""

from __future__ import annotations

import hashlib
from typing import Final

from loci_contract.names import GROUP
from loci_operator.reconcile.causes import Problem
from loci_operator.reconcile.observed import Claim
from loci_operator.specs.context import NAME
from loci_resources.errors import RejectedError
from loci_resources.storage import Placement, StoreKind
from loci_resources.tenant import DataStatus, MemoryTenant

ACCEPT_LOSS: Final = f"{GROUP}/accept-data-loss"
"""Annotation on a tenant: the identity of the lost data (`status.data.id`) without which it is to go on."""
LOST: Final = "DataLost"
_KEEPERS: Final = {StoreKind.EMBEDDED: NAME, StoreKind.DEDICATED: "loci-postgres"}


def keeper(places: Placement) -> str:
    """Name of the StatefulSet whose volume holds the records; empty if it is a store outside the namespace."""
    return _KEEPERS.get(places.records, "")


def volume_loss(tenant: MemoryTenant, claim: Claim | None, *, has_set: bool) -> Problem | None:
    """That the recorded volume is gone, unless that is acknowledged.

    Args:
        tenant: the tenant, with its present status.
        claim: the claim that is found; None if there is none.
        has_set: whether its StatefulSet is there, which makes a missing claim anew by itself.
    """
    recorded = tenant.status.data
    is_same = claim is not None and recorded is not None and claim.uid == recorded.id
    if recorded is None or is_same or (claim is None and has_set) or _is_accepted(tenant, recorded):
        return None
    found = "is gone" if claim is None else "was replaced by a new one"
    return Problem(LOST, _message(tenant, recorded, f"The volume {found}, and the tenant's data with it."))


def volume_data(records: StoreKind, claim: Claim | None) -> DataStatus | None:
    """The status of a volume that is in use; None keeps the recorded one."""
    if claim is None or not claim.bound:
        return None
    return DataStatus(records=records, id=claim.uid, size=claim.capacity or claim.requested)


def share_data(tenant: MemoryTenant) -> DataStatus:
    """The status of a share of the shared stores that is in use: another identity after an acknowledged loss."""
    recorded = tenant.status.data
    if recorded is not None and not _is_accepted(tenant, recorded):
        return recorded
    origin = f"{tenant.metadata.uid} {recorded.id if recorded else ''}"
    return DataStatus(records=StoreKind.SHARED, id=hashlib.sha256(origin.encode()).hexdigest()[:12])


def check_share(tenant: MemoryTenant, *, found: bool) -> None:
    """Raise RejectedError if the recorded share is not found in the stores, unless that is acknowledged."""
    recorded = tenant.status.data
    if found or recorded is None or _is_accepted(tenant, recorded):
        return
    lost = "The shared stores no longer hold the tenant's schema, and its data is gone with it."
    raise RejectedError("StoresReady", LOST, _message(tenant, recorded, lost))


def _is_accepted(tenant: MemoryTenant, recorded: DataStatus) -> bool:
    return tenant.metadata.annotations.get(ACCEPT_LOSS) == recorded.id


def _message(tenant: MemoryTenant, recorded: DataStatus, lost: str) -> str:
    command = f"kubectl annotate mt {tenant.metadata.name} --overwrite {ACCEPT_LOSS}={recorded.id}"
    return f"{lost} Requests are rejected. Restore the data from a backup first, or go on without it: {command}"
