"""Resolve which API keys are in force and which must be generated. Pure."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Callable, Mapping, Sequence

from loci_contract.keys import is_well_formed, sha256, tenant_of
from loci_contract.registry import KeyRecord, RegistryRecord, TenantState, implied
from loci_operator.reconcile.reading import Known
from loci_resources.tenant import MemoryTenant


def resolve_keys(
    tenant: MemoryTenant, existing: Sequence[Mapping[str, str]], generate: Callable[[str], str]
) -> tuple[tuple[KeyRecord, ...], dict[str, str]]:
    """Key records of a tenant, and its generated keys in plain text by name.

    Args:
        tenant: owner of the keys.
        existing: keys generated earlier, stored ones first; each is reused while the spec wants it, unless malformed.
        generate: generates a key for a tenant name.
    """
    wanted = tenant.spec.keys_in_force
    name = tenant.metadata.name
    held = ChainMap(*({key: text for key, text in keys.items() if _is_key_of(text, name)} for keys in existing))
    generated = {key.name: held.get(key.name) or generate(name) for key in wanted if key.sha256 is None}
    records = tuple(
        KeyRecord(
            name=key.name,
            sha256=key.sha256 or sha256(generated[key.name]),
            scopes=frozenset(key.scopes),
            expires_at=key.expires_at,
        )
        for key in wanted
    )
    return records, generated


def restricted(record: RegistryRecord, known: Known, existing: Mapping[str, str]) -> RegistryRecord:
    """The registry record reduced to what the spec still grants; works even if the spec cannot be applied.

    Args:
        record: current registry record.
        known: the tenant.
        existing: stored generated keys by name.
    """
    allowed = {(key.name, key.sha256 or _hash(existing.get(key.name))): key for key in known.allowed}
    keys = tuple(
        held.model_copy(update={"scopes": implied(held.scopes) & implied(key.scopes), "expires_at": key.expires_at})
        for held in record.keys
        if (key := allowed.get((held.name, held.sha256)))
    )
    state = TenantState.SUSPENDED if known.tenant.spec.suspend else record.state
    return record.model_copy(update={"keys": keys, "state": state})


def _is_key_of(text: str, tenant: str) -> bool:
    return is_well_formed(text) and tenant_of(text) == tenant


def _hash(key: str | None) -> str | None:
    return sha256(key) if key else None
