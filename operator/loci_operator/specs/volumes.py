"""Volume claims of a tenant."""

from __future__ import annotations

from loci_operator.specs.context import Context, Manifest
from loci_resources.derived import volume_size


def claim(context: Context, labels: dict[str, str]) -> Manifest:
    """Claim of a volume called `data`, with the tenant's size and class."""
    storage = context.tenant.spec.storage
    spec: Manifest = {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": volume_size(context.tenant, context.tier)}},
    }
    if class_name := storage.storage_class_name or context.platform.storage_class_name:
        spec["storageClassName"] = class_name
    return {"metadata": {"name": "data", "labels": labels}, "spec": spec}
