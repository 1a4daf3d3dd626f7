"""The dependencies of the admin API."""

from __future__ import annotations

from dataclasses import dataclass, field

from loci_admin.tenants.store import TenantStore


@dataclass(frozen=True)
class Deps:
    """Everything the admin API needs; `admin_key_sha256` is hexadecimal."""

    store: TenantStore
    admin_key_sha256: str = field(repr=False)
