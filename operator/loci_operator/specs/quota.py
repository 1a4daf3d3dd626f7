"""Resource quota and container defaults of a tenant's namespace."""

from __future__ import annotations

from loci_operator.specs.context import Context, Manifest, metadata


def resource_quota(context: Context) -> Manifest:
    """ResourceQuota from the tier's namespace quota."""
    quota = context.tier.spec.namespace_quota.model_dump(exclude_none=True)
    hard = {"pods": "10", "persistentvolumeclaims": "4", "services.loadbalancers": "0", "services.nodeports": "0"}
    hard |= {f"requests.{resource}": amount for resource, amount in quota.items()}
    return {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": metadata(context), "spec": {"hard": hard}}


def limit_range(context: Context) -> Manifest:
    """LimitRange with default requests, since the quota rejects containers without any."""
    defaults = {
        "type": "Container",
        "defaultRequest": {"cpu": "50m", "memory": "128Mi"},
    }
    return {"apiVersion": "v1", "kind": "LimitRange", "metadata": metadata(context), "spec": {"limits": [defaults]}}
