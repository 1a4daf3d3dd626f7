"""All manifests of a tenant, in the order of creation."""

from __future__ import annotations

from loci_operator.specs.access import service_account
from loci_operator.specs.config import config_map
from loci_operator.specs.context import Context, Manifest
from loci_operator.specs.dedicated.all import servers
from loci_operator.specs.dedicated.server import objects
from loci_operator.specs.namespace import tenant_namespace
from loci_operator.specs.network import data_plane, default_deny
from loci_operator.specs.quota import limit_range, resource_quota
from loci_operator.specs.secrets import (
    api_keys,
    collection_record_secret,
    data_plane_secret,
    registry_record_secret,
    store_credentials,
)
from loci_operator.specs.service import disruption_budget, service
from loci_operator.specs.workload import deployment, stateful_set
from loci_resources.storage import StoreKind

_BUILDERS = (
    tenant_namespace,
    resource_quota,
    limit_range,
    default_deny,
    data_plane,
    service_account,
    api_keys,
    data_plane_secret,
    config_map,
    service,
    disruption_budget,
)


def children(context: Context) -> list[Manifest]:
    """Manifests of a tenant, namespace first."""
    made = [build(context) for build in _BUILDERS]
    if context.stores.credentials:
        made.append(store_credentials(context))
    chroma = context.stores.chroma
    if chroma and chroma.collection and context.placement.vectors is StoreKind.SHARED:
        made.append(collection_record_secret(context, chroma.collection, chroma.token))
    for server in servers(context):
        made += objects(context, server)
    made.append(stateful_set(context) if context.placement.has_volume else deployment(context))
    # Last: once it exists, the ingress routes requests to the objects above.
    return [*made, registry_record_secret(context)]
