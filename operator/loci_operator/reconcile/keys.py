"""Which API keys are in force, and which have to be made."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from loci_contract.keys import sha256
from loci_contract.names import DEFAULT_KEY_NAME
from loci_contract.registry import KeyRecord
from loci_operator.api.tenant import ApiKey, MemoryTenant


def resolve_keys(
    tenant: MemoryTenant, existing: Mapping[str, str], generate: Callable[[str], str]
) -> tuple[tuple[KeyRecord, ...], dict[str, str]]:
    """The records of all keys, and the generated keys themselves by name.

    Args:
        tenant: whose keys.
        existing: the keys that were generated before; they stay as long as they are wanted.
        generate: makes a key for a tenant's name.
    """
    wanted = tenant.spec.api_keys or (ApiKey(name=DEFAULT_KEY_NAME),)
    generated = {
        key.name: existing.get(key.name) or generate(tenant.metadata.name) for key in wanted if key.sha256 is None
    }
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
