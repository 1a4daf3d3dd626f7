"""The ingress's picture of all tenants: who holds which key, and what goes with their requests. Plain data, no I/O."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from loci_contract import headers, keys
from loci_contract.registry import KeyRecord, RegistryRecord, Scope, implied

Headers = tuple[tuple[bytes, bytes], ...]


@dataclass(frozen=True, slots=True)
class Grant:
    """One key of one tenant, with everything that a decision needs made ready when the registry changes."""

    record: RegistryRecord
    key: KeyRecord
    scopes: frozenset[Scope]
    upstream_headers: Headers


class Table:
    """Grants by tenant and key hash; a change costs as much as its tenant has keys, a look-up is two dictionary reads.

    A key names its tenant, so a hash that another tenant lists as its own is never found under it.
    """

    def __init__(self, records: Iterable[RegistryRecord] = ()) -> None:
        self._tenants: dict[str, dict[str, Grant]] = {}
        self.replace(records)

    def __len__(self) -> int:
        return len(self._tenants)

    def records(self) -> list[RegistryRecord]:
        """Every tenant that has a key."""
        return [next(iter(grants.values())).record for grants in self._tenants.values() if grants]

    def replace(self, records: Iterable[RegistryRecord]) -> None:
        """Forget every tenant but these."""
        self._tenants = {record.tenant: _grants(record) for record in records}

    def put(self, record: RegistryRecord) -> None:
        """Add a tenant, or replace what was known of it."""
        self._tenants[record.tenant] = _grants(record)

    def remove(self, tenant: str) -> None:
        """Forget a tenant."""
        self._tenants.pop(tenant, None)

    def find(self, key: str) -> Grant | None:
        """What an API key grants, or None when nobody knows it."""
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
