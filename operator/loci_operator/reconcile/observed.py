"""What is known of a tenant's objects: enough to see that one differs, little enough to hold for thousands."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import orjson

from loci_contract.names import GROUP
from loci_operator.reconcile.causes import Problem

HASH: Final = f"{GROUP}/hash"
"""Annotation: the hash of the manifest that an object was last applied from."""

Manifest = dict[str, Any]


class ObjectRef(NamedTuple):
    """Which object."""

    kind: str
    namespace: str
    name: str


@dataclass(frozen=True, slots=True)
class Seen:
    """An object as last seen. `foreign`: somebody else wrote to it, other than to its status.

    Scaling leaves no writer's name, so the replicas of a set are known themselves.
    """

    version: str
    hash: str
    foreign: bool
    deleting: bool
    ready: bool = False
    tenant_uid: str = ""
    replicas: int | None = None
    problem: Problem | None = None
    """Of a pod: what keeps it from being ready."""


def ref_of(manifest: Mapping[str, Any]) -> ObjectRef:
    """Which object a manifest is."""
    metadata = manifest["metadata"]
    return ObjectRef(manifest["kind"], metadata.get("namespace", ""), metadata["name"])


def with_hash(manifest: Manifest) -> Manifest:
    """The manifest with its own hash in it."""
    digest = hashlib.sha256(orjson.dumps(manifest, option=orjson.OPT_SORT_KEYS)).hexdigest()[:32]
    annotations = {**manifest["metadata"].get("annotations", {}), HASH: digest}
    return {**manifest, "metadata": {**manifest["metadata"], "annotations": annotations}}


def differing(
    desired: Iterable[Manifest], seen: Mapping[ObjectRef, Seen], applied: Mapping[ObjectRef, str]
) -> list[Manifest]:
    """The manifests that must be applied; `applied` holds the versions that our own last applying gave.

    An object is looked at again when it is missing, was applied from another manifest, or was written by somebody
    else since we last applied it.
    """
    return [m for m in desired if _differs(m, seen.get(key := ref_of(m)), applied.get(key))]


def _differs(manifest: Manifest, seen: Seen | None, applied: str | None) -> bool:
    if seen is None or seen.hash != manifest["metadata"]["annotations"][HASH]:
        return True
    if seen.replicas is not None and seen.replicas != manifest["spec"]["replicas"]:
        return True
    return seen.foreign and seen.version != applied
