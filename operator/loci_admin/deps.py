"""Dependencies of the admin API."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from loci_admin.tenants.store import TenantStore


def utc_now() -> datetime:
    """The present time."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Deps:
    """Dependencies of the admin API; `admin_key_sha256` is hexadecimal."""

    store: TenantStore
    admin_key_sha256: str = field(repr=False)
    now: Callable[[], datetime] = utc_now
