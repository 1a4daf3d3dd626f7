"""Dependencies of the admin API."""

from __future__ import annotations

from dataclasses import dataclass, field

from loci_admin.tenants.store import TenantStore


@dataclass(frozen=True)
class Deps:
    """Dependencies of the admin API; `admin_key_sha256` is hexadecimal."""

    store: TenantStore
    admin_key_sha256: str = field(repr=False)
