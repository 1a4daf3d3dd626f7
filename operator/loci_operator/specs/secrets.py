"""Secrets of a tenant: its generated API keys, ingress token and registry record."""

from __future__ import annotations

from uuid import UUID

from loci_contract.chroma import REGISTRY_COLLECTION, CollectionRecord, record_secret
from loci_contract.environment import INGRESS_TOKEN_FILE_NAME
from loci_contract.keys import sha256
from loci_contract.names import API_KEYS_SECRET, LABEL_REGISTRY, REGISTRY_DATA_KEY, REGISTRY_TENANT, registry_secret
from loci_contract.registry import TenantState
from loci_operator.specs.context import NAME, Context, Manifest, metadata
from loci_operator.specs.encoding import secret_data
from loci_operator.specs.service import host
from loci_operator.specs.stores import STORES_SECRET
from loci_resources.derived import registry_record


def api_keys(context: Context) -> Manifest:
    """Secret with the generated API keys, for the platform team to hand out."""
    return _secret(metadata(context, API_KEYS_SECRET), context.generated_keys)


def data_plane_secret(context: Context) -> Manifest:
    """Secret with the ingress token that the tenant's pod checks on every request."""
    return _secret(metadata(context, NAME), {INGRESS_TOKEN_FILE_NAME: context.ingress_token})


def registry_record_secret(context: Context) -> Manifest:
    """Registry record for the ingress, a Secret in the system namespace."""
    record = registry_record(context.tenant, context.tier, context.keys, host(context), context.ingress_token)
    if context.out_of_service and record.state is TenantState.ACTIVE:
        record = record.model_copy(update={"state": TenantState.UNAVAILABLE})
    meta = metadata(context, registry_secret(context.name), context.platform.system_namespace)
    meta["labels"][LABEL_REGISTRY] = REGISTRY_TENANT
    return _secret(meta, {REGISTRY_DATA_KEY: record.model_dump_json()})


def store_credentials(context: Context) -> Manifest:
    """The tenant's credentials for its stores, which its pod mounts."""
    return _secret(metadata(context, STORES_SECRET), context.stores.credentials)


def collection_record_secret(context: Context, collection: str, token: str) -> Manifest:
    """The record for the shared Chroma's gate, in the system namespace, with only the hash of the token."""
    record = CollectionRecord(tenant=context.name, collection=UUID(collection), token_sha256=sha256(token))
    meta = metadata(context, record_secret(context.name), context.platform.system_namespace)
    meta["labels"][LABEL_REGISTRY] = REGISTRY_COLLECTION
    return _secret(meta, {REGISTRY_DATA_KEY: record.model_dump_json()})


def _secret(meta: Manifest, entries: dict[str, str]) -> Manifest:
    return {"apiVersion": "v1", "kind": "Secret", "metadata": meta, "type": "Opaque", "data": secret_data(entries)}
