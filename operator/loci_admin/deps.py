"""What the application is given, and what its endpoints call."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends, Request

from loci_admin.keys.service import Keys
from loci_admin.tenants.service import Tenants
from loci_admin.tenants.store import TenantStore


@dataclass(frozen=True)
class Deps:
    """Everything the admin API needs; `admin_key_sha256` is hexadecimal."""

    store: TenantStore
    admin_key_sha256: str = field(repr=False)


@dataclass(frozen=True)
class Services:
    """What the endpoints call."""

    tenants: Tenants
    keys: Keys


def _of_request(request: Request) -> Services:
    found: Services = request.app.state.services
    return found


Given = Annotated[Services, Depends(_of_request)]
