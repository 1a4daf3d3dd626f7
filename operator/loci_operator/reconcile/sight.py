"""Reduce an object of a tenant to what the operator remembers of it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from loci_operator.reconcile.causes import Problem, creation_problem, pod_problem
from loci_operator.reconcile.observed import HASH, Claim, Seen
from loci_operator.reconcile.rollout import ROLLOUT
from loci_operator.specs.context import MANAGER
from loci_operator.specs.namespace import STORAGE_PROFILE, TENANT_UID

Document = Mapping[str, Any]


def seen_of(document: Document) -> Seen:
    """The state of an object, which may be metadata only."""
    metadata = document["metadata"]
    annotations = metadata.get("annotations", {})
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
        problem=_problem(document),
        claim=_claim(document),
    )


def _is_foreign(entry: Document) -> bool:
    return entry.get("manager") != MANAGER and "subresource" not in entry


def _is_ready(document: Document) -> bool:
    """Whether the latest template is rolled out, but for pods that are held at the one before, and ready."""
    status, spec = document.get("status", {}), document.get("spec", {})
    replicas = spec.get("replicas", 0)
    held = (
        replicas if spec.get("paused") else spec.get("updateStrategy", {}).get("rollingUpdate", {}).get("partition", 0)
    )
    counted = min(status.get("readyReplicas", 0), status.get("updatedReplicas", 0) + held)
    return bool(replicas) and _is_current(document) and counted >= replicas


def _is_serving(document: Document) -> bool:
    replicas = document.get("spec", {}).get("replicas", 0)
    return bool(replicas) and document.get("status", {}).get("readyReplicas", 0) >= replicas


def _is_updated(document: Document) -> bool:
    """Whether every pod has the newest template, and they were ready then.

    The controller of StatefulSets makes the update revision the current one then; that of Deployments says so.
    """
    status = document.get("status", {})
    if "updateRevision" in status:
        return _is_current(document) and status.get("currentRevision") == status["updateRevision"]
    reasons = {c.get("reason") for c in status.get("conditions", ()) if c["type"] == "Progressing"}
    return _is_current(document) and reasons == {"NewReplicaSetAvailable"}


def _is_current(document: Document) -> bool:
    return bool(document.get("status", {}).get("observedGeneration") == document["metadata"].get("generation"))


def _problem(document: Document) -> Problem | None:
    status = document.get("status", {})
    if "spec" in document and "replicas" in document["spec"]:
        return creation_problem(document)
    return pod_problem(document) if "containerStatuses" in status or "conditions" in status else None


def _claim(document: Document) -> Claim | None:
    spec, status = document.get("spec", {}), document.get("status", {})
    if "accessModes" not in spec:
        return None
    return Claim(
        uid=document["metadata"]["uid"],
        bound=status.get("phase") == "Bound",
        requested=spec["resources"]["requests"]["storage"],
        capacity=status.get("capacity", {}).get("storage", ""),
        class_name=spec.get("storageClassName", ""),
    )
