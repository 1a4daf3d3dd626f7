"""Namespace of a tenant."""

from __future__ import annotations

from typing import Final

from loci_contract.names import GROUP
from loci_operator.specs.context import Context, Manifest, labels, owner

TENANT_UID: Final = f"{GROUP}/tenant-uid"
"""Annotation: uid of the owning tenant; distinguishes a namespace retained from an earlier tenant of the same name."""
STORAGE_PROFILE: Final = f"{GROUP}/storage-profile"
"""Annotation: where the tenant's data is, as `Placement` writes it."""


def tenant_namespace(context: Context) -> Manifest:
    """Namespace with Pod Security `restricted`; has no owner reference if it is retained after deletion."""
    security = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "audit", "warn")}
    metadata: Manifest = {
        "name": context.namespace,
        "labels": {**labels(context), **security},
        "annotations": {TENANT_UID: context.tenant.metadata.uid, STORAGE_PROFILE: str(context.placement)},
    }
    if not context.retains:
        metadata["ownerReferences"] = [owner(context)]
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}
