"""Compact observed state of a tenant's objects, and detection of drift by manifest hash.

Each object carries the hash of the manifest it was applied from. An object is applied again if it is missing, if its
hash or replica count differs, or if another field manager wrote to it since the operator's last apply. Objects are
stored as a few scalars each, so that thousands of tenants fit in memory. The cost of a comparison is one hash per
manifest. A write by another client that reuses the operator's field manager name would go unnoticed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import orjson

from loci_contract.names import GROUP
from loci_operator.reconcile.causes import Problem
from loci_operator.specs.context import NAME

WORKLOADS: Final = ("StatefulSet", "Deployment")
HASH: Final = f"{GROUP}/hash"
"""Annotation: hash of the manifest that an object was last applied from."""

Manifest = dict[str, Any]


class ObjectRef(NamedTuple):
    """Reference to a Kubernetes object."""

    kind: str
    namespace: str
    name: str


@dataclass(frozen=True, slots=True)
class Claim:
    """A PersistentVolumeClaim.

    Args:
        uid: identity of the claim, and so of the volume that is bound to it.
        bound: whether it has a volume.
        requested: requested size, a quantity.
        capacity: size of the volume, a quantity; empty while there is none.
        class_name: its StorageClass; empty if it has none.
    """

    uid: str
    bound: bool
    requested: str
    capacity: str
    class_name: str


@dataclass(frozen=True, slots=True)
class Seen:
    """Last observed state of an object. `foreign`: another field manager wrote to it, other than to its status.

    Scaling does not show up as a field manager, so replicas are compared directly.
    """

    version: str
    hash: str
    foreign: bool
    deleting: bool
    ready: bool = False
    tenant_uid: str = ""
    profile: str = ""
    replicas: int | None = None
    serving: bool = False
    """Of a workload: as many pods are ready as it wants, whichever template they run."""
    updated: bool = False
    """Of a workload: its newest template was rolled out to all of its pods, and they were ready then."""
    rollout: str = ""
    """Of a workload: its mark, as `rollout.parse` reads it."""
    problem: Problem | None = None
    """Of a pod: why it is not ready. Of a Deployment: why it cannot make pods."""
    claim: Claim | None = None
    """Of a PersistentVolumeClaim: its volume."""


def ref_of(manifest: Mapping[str, Any]) -> ObjectRef:
    """Object reference of a manifest."""
    metadata = manifest["metadata"]
    return ObjectRef(manifest["kind"], metadata.get("namespace", ""), metadata["name"])


def workload_of(objects: Mapping[ObjectRef, Seen], namespace: str) -> Seen | None:
    """The tenant's data plane, a StatefulSet or a Deployment; None if there is none."""
    found = (objects.get(ObjectRef(kind, namespace, NAME)) for kind in WORKLOADS)
    return next((seen for seen in found if seen), None)


def is_workload(manifest: Mapping[str, Any]) -> bool:
    """Whether a manifest is the tenant's data plane."""
    return manifest["kind"] in WORKLOADS and manifest["metadata"]["name"] == NAME


def with_hash(manifest: Manifest) -> Manifest:
    """The manifest with its hash added as an annotation."""
    digest = hashlib.sha256(orjson.dumps(manifest, option=orjson.OPT_SORT_KEYS)).hexdigest()[:32]
    annotations = {**manifest["metadata"].get("annotations", {}), HASH: digest}
    return {**manifest, "metadata": {**manifest["metadata"], "annotations": annotations}}


def differing(
    desired: Iterable[Manifest], seen: Mapping[ObjectRef, Seen], applied: Mapping[ObjectRef, str]
) -> list[Manifest]:
    """Manifests that must be applied; `applied` holds the resource versions of the operator's own last applies.

    An object differs if it is missing, was applied from another manifest, or was written by another client since.
    """
    return [m for m in desired if _differs(m, seen.get(key := ref_of(m)), applied.get(key))]


def _differs(manifest: Manifest, seen: Seen | None, applied: str | None) -> bool:
    if seen is None or seen.hash != manifest["metadata"]["annotations"][HASH]:
        return True
    if seen.replicas is not None and seen.replicas != manifest["spec"]["replicas"]:
        return True
    return seen.foreign and seen.version != applied
