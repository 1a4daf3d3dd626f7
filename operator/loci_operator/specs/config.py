"""The tenant's limits and log level as the pod reads them: mounted files, so that a change needs no restart."""

from __future__ import annotations

from loci_contract.environment import LIMITS_FILE_NAME, LOG_LEVEL_FILE_NAME
from loci_operator.specs.context import Context, Manifest, metadata


def config_map(context: Context) -> Manifest:
    """The effective limits and the minimum log level."""
    data = {
        LIMITS_FILE_NAME: context.limits.model_dump_json(),
        LOG_LEVEL_FILE_NAME: context.platform.log_level,
    }
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata(context), "data": data}
