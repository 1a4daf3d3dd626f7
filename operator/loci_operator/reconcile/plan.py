"""Plan the actions for one tenant, in order. Pure.

The plan compares the desired manifests with the last observed objects. Its order gives two guarantees even if execution
stops halfway. First, revocations (a removed key, a removed scope, a suspension) reach the ingress before anything else.
Second, the ingress learns of a key only after the Secret that stores it was written. Executing the plan once converges
from any state, and it touches only the tenant's own objects. Its cost is one hash and one comparison per object.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from loci_contract.registry import RegistryRecord
from loci_operator.reconcile.observed import HASH, Manifest, ObjectRef, Seen, differing, ref_of


@dataclass(frozen=True)
class Restrict:
    """Reduce the registry record at the ingress to what is still allowed."""

    record: RegistryRecord = field(repr=False)


@dataclass(frozen=True)
class Apply:
    """Apply a manifest."""

    manifest: Manifest = field(repr=False)


Action = Restrict | Apply


@dataclass(frozen=True)
class Observed:
    """Observed state of a tenant's objects.

    Args:
        objects: last observed state of each object.
        applied: resource versions of the operator's own last applies.
        restriction: reduced registry record, if the current one grants more than is allowed; else None.
    """

    objects: Mapping[ObjectRef, Seen]
    applied: Mapping[ObjectRef, str]
    restriction: RegistryRecord | None = None


def plan(desired: Sequence[Manifest], record: ObjectRef, observed: Observed) -> list[Action]:
    """Actions that bring a tenant's objects to the desired state.

    Args:
        desired: all manifests with hashes, in the order of creation for a new tenant.
        record: reference of the registry record among them.
        observed: observed state.
    """
    differ = differing(desired, observed.objects, observed.applied)
    if [ref_of(manifest) for manifest in differ] == [record]:
        return [Apply(differ[0])]
    if record in observed.objects:
        differ.sort(key=lambda manifest: _urgency(manifest, record))
    restrict = [Restrict(observed.restriction)] if observed.restriction is not None else []
    return [*restrict, *(Apply(manifest) for manifest in differ)]


def repairs(actions: Sequence[Action], record: ObjectRef, observed: Observed) -> list[str]:
    """The kinds of the objects that actions put right because others changed or deleted them."""
    applied = [action.manifest for action in actions if isinstance(action, Apply)]
    return [manifest["kind"] for manifest in applied if _is_repair(manifest, record, observed)]


def _is_repair(manifest: Manifest, record: ObjectRef, observed: Observed) -> bool:
    """The record is made last: an object that is missing beside it was there."""
    seen = observed.objects.get(ref_of(manifest))
    if seen is None:
        return record in observed.objects
    return bool(seen.hash == manifest["metadata"]["annotations"][HASH])


def _urgency(manifest: Manifest, record: ObjectRef) -> int:
    """Sort key: the registry record right after its prerequisites, so that a failing pod cannot delay new limits."""
    if ref_of(manifest) == record:
        return 1
    return 0 if manifest["kind"] in {"Namespace", "Secret"} else 2
