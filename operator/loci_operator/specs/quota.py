"""How much of the cluster a tenant's namespace may use."""

from __future__ import annotations

from loci_operator.specs.context import Context, Manifest, metadata


def resource_quota(context: Context) -> Manifest:
    """The most that the namespace may use."""
    quota = context.tier.spec.namespace_quota.model_dump(exclude_none=True)
    hard = {"pods": "10", "persistentvolumeclaims": "4", "services.loadbalancers": "0", "services.nodeports": "0"}
    hard |= {f"requests.{resource}": amount for resource, amount in quota.items()}
    return {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": metadata(context), "spec": {"hard": hard}}


def limit_range(context: Context) -> Manifest:
    """Compute of containers that name none, so that the quota never refuses one for that."""
    defaults = {
        "type": "Container",
        "defaultRequest": {"cpu": "50m", "memory": "128Mi"},
    }
    return {"apiVersion": "v1", "kind": "LimitRange", "metadata": metadata(context), "spec": {"limits": [defaults]}}
