"""ConfigMap with the tenant's limits; it is mounted as a file, so that changes need no restart."""

from __future__ import annotations

from loci_contract.environment import LIMITS_FILE_NAME
from loci_operator.specs.context import Context, Manifest, metadata


def config_map(context: Context) -> Manifest:
    """ConfigMap with the effective limits."""
    data = {LIMITS_FILE_NAME: context.limits.model_dump_json()}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata(context), "data": data}
