"""What has to be done for one tenant, in which order. Pure.

The plan compares the manifests that a tenant should have with what was last seen of its objects. Its order keeps two
promises whatever fails half-way. First, what is no longer allowed (a removed key, a lost scope, a suspension) is
refused at the ingress before anything else is tried. Second, the ingress learns of a key only after the Secret that
keeps it was written. Done once, from any state, the plan leaves nothing to do; it names no object but the tenant's.
Its cost is one hash and one comparison for each object.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from loci_contract.registry import RegistryRecord
from loci_operator.reconcile.observed import Manifest, ObjectRef, Seen, differing, ref_of


@dataclass(frozen=True)
class Restrict:
    """Reduce the record at the ingress to what is still allowed."""

    record: RegistryRecord = field(repr=False)


@dataclass(frozen=True)
class Apply:
    """Make an object as its manifest says."""

    manifest: Manifest = field(repr=False)


Action = Restrict | Apply


@dataclass(frozen=True)
class Observed:
    """What is known of a tenant's objects.

    Args:
        objects: each as last seen.
        applied: the versions that our own last applying gave.
        restriction: what the record at the ingress may still say, where it says more; else None.
    """

    objects: Mapping[ObjectRef, Seen]
    applied: Mapping[ObjectRef, str]
    restriction: RegistryRecord | None = None


def plan(desired: Sequence[Manifest], record: ObjectRef, observed: Observed) -> list[Action]:
    """The actions that make a tenant's objects as desired.

    Args:
        desired: every manifest, hashed, in the order in which a new tenant's are made.
        record: which of them is the record at the ingress.
        observed: what there is.
    """
    differ = differing(desired, observed.objects, observed.applied)
    if [ref_of(manifest) for manifest in differ] == [record]:
        return [Apply(differ[0])]
    if record in observed.objects:
        differ.sort(key=lambda manifest: _urgency(manifest, record))
    restrict = [Restrict(observed.restriction)] if observed.restriction is not None else []
    return [*restrict, *(Apply(manifest) for manifest in differ)]


def _urgency(manifest: Manifest, record: ObjectRef) -> int:
    """What the record relies on comes before it; all else after, so that nothing which hinders a pod delays limits."""
    if ref_of(manifest) == record:
        return 1
    return 0 if manifest["kind"] in {"Namespace", "Secret"} else 2
