"""In-memory table of API keys and the grants they give. Pure data, no I/O.

Grants are computed when a registry record changes, so that a decision needs two dictionary reads. A change costs time
proportional to the keys of its tenant; memory is proportional to all keys.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from loci_contract import headers, keys
from loci_contract.registry import KeyRecord, RegistryRecord, Scope, implied

Headers = tuple[tuple[bytes, bytes], ...]


@dataclass(frozen=True, slots=True)
class Grant:
    """An API key of a tenant with everything a decision needs, computed when the registry changes."""

    record: RegistryRecord
    key: KeyRecord
    scopes: frozenset[Scope]
    upstream_headers: Headers


class Table:
    """Grants by tenant and key hash.

    Every key contains its tenant's name, so a hash that another tenant declares is never looked up there.
    """

    def __init__(self, records: Iterable[RegistryRecord] = ()) -> None:
        self._tenants: dict[str, dict[str, Grant]] = {}
        self.replace(records)

    def __len__(self) -> int:
        return len(self._tenants)

    def records(self) -> list[RegistryRecord]:
        """All tenants with at least one key."""
        return [next(iter(grants.values())).record for grants in self._tenants.values() if grants]

    def replace(self, records: Iterable[RegistryRecord]) -> None:
        """Replace the table's content."""
        self._tenants = {record.tenant: _grants(record) for record in records}

    def put(self, record: RegistryRecord) -> None:
        """Add or replace a tenant."""
        self._tenants[record.tenant] = _grants(record)

    def remove(self, tenant: str) -> None:
        """Remove a tenant."""
        self._tenants.pop(tenant, None)

    def find(self, key: str) -> Grant | None:
        """The grant of an API key, or None if the key is unknown."""
        grants = self._tenants.get(keys.tenant_of(key))
        return grants.get(keys.sha256(key)) if grants else None


def _grants(record: RegistryRecord) -> dict[str, Grant]:
    return {key.sha256: _grant(record, key) for key in record.keys}


def _grant(record: RegistryRecord, key: KeyRecord) -> Grant:
    scopes = implied(key.scopes)
    values = {
        headers.UPSTREAM: record.upstream,
        headers.TENANT: record.tenant,
        headers.KEY_ID: keys.key_id(key.sha256),
        headers.SCOPES: ",".join(sorted(scopes)),
        headers.INGRESS_TOKEN: record.ingress_token,
    }
    return Grant(record, key, scopes, tuple((name.encode(), value.encode("latin-1")) for name, value in values.items()))
