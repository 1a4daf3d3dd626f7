"""Whether a tenant's volume is there and has the wanted size, and what to do when not. Pure."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from loci_operator.reconcile.causes import Problem
from loci_operator.reconcile.observed import Claim

_UNITS: Final[dict[str, Decimal]] = {"": Decimal(1), "m": Decimal("0.001")} | {
    unit + suffix: Decimal(base) ** power
    for base, suffix in ((1000, ""), (1024, "i"))
    for power, unit in enumerate("kMGTPE" if base == 1000 else "KMGTPE", start=1)  # noqa: PLR2004 - the unit's base
}


def is_smaller(size: str, than: str) -> bool:
    """Compare two quantities of bytes, such as 10Gi."""
    return _bytes(size) < _bytes(than)


def unbound(claim: Claim, *, has_class: bool, warning: str) -> Problem | None:
    """Why a claim gets no volume, if that is known.

    Args:
        claim: a claim without a volume.
        has_class: whether its StorageClass exists.
        warning: the provisioner's last message; empty if there was none.
    """
    if not claim.class_name:
        advice = "mark one as default, or set the chart's operator.storageClassName, then delete the claim"
        return Problem(
            "StorageClassMissing", f"The claim names no StorageClass and the cluster has no default: {advice}."
        )
    if not has_class:
        message = f"StorageClass {claim.class_name} does not exist. Create it, or make another tenant with one of those"
        return Problem("StorageClassMissing", f"{message} of: kubectl get storageclass.")
    if warning:
        return Problem("VolumeNotProvisioned", f"{warning.rstrip('. ')}. Check the StorageClass {claim.class_name}.")
    return None


def not_expandable(claim: Claim, wanted: str) -> Problem:
    """The volume is smaller than wanted, and its class does not let it grow."""
    class_name = f"StorageClass {claim.class_name}" if claim.class_name else "its StorageClass"
    message = (
        f"The volume has {claim.requested}, and {wanted} is wanted, but {class_name} does not expand volumes. Set its "
        f"allowVolumeExpansion to true if its driver can, or make another tenant and copy the data (GET /v1/export)."
    )
    return Problem("ExpansionNotSupported", message)


def unfit(claim: Claim, warning: str) -> Problem | None:
    """Why a volume is not as it was asked for; None if it is.

    Args:
        claim: a claim with a volume, of the wanted size or on its way there.
        warning: the driver's last message on resizing; empty if there was none.
    """
    if not claim.capacity or not is_smaller(claim.capacity, claim.requested):
        return None
    if warning:
        return Problem("ExpansionFailed", f"{warning.rstrip('. ')}. It is tried again; check the storage driver.")
    return Problem("Expanding", f"The volume grows from {claim.capacity} to {claim.requested}.")


def _bytes(size: str) -> Decimal:
    number = size.rstrip("kKMGTPEim")
    return Decimal(number) * _UNITS[size[len(number) :]]
