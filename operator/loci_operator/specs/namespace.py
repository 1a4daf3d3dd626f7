"""The tenant's namespace."""

from __future__ import annotations

from typing import Final

from loci_contract.names import GROUP
from loci_operator.specs.context import Context, Manifest, labels, owner

TENANT_UID: Final = f"{GROUP}/tenant-uid"
"""Annotation: the uid of the tenant whose namespace it is, which tells a retained one from a new one."""


def tenant_namespace(context: Context) -> Manifest:
    """The namespace, under Pod Security `restricted`; without an owner when it is to outlive the tenant."""
    security = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "audit", "warn")}
    metadata: Manifest = {
        "name": context.namespace,
        "labels": {**labels(context), **security},
        "annotations": {TENANT_UID: context.tenant.metadata.uid},
    }
    if not context.retains:
        metadata["ownerReferences"] = [owner(context)]
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}
