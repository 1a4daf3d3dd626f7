"""A tenant's share of a PostgreSQL server: names of its roles and schema, and the schema migrations.

The operator creates the share and the tenant's data plane uses it. All names derive from the tenant's name with `-`
replaced by `_`; they are unique, because tenant names contain no `_`. Different prefixes prevent one tenant's login
role from being another's owner role.
"""

from __future__ import annotations

from importlib.resources import files
from typing import Final

SCHEMA_VERSION: Final = 3
"""Latest schema version. A release works with this version and the previous one, so that pods can be replaced one by
one after a migration."""


def schema(tenant: str) -> str:
    """Name of the tenant's schema."""
    return f"tenant_{_plain(tenant)}"


def login_role(tenant: str, *, alternate: bool = False) -> str:
    """Name of one of the two roles that the tenant's pods log in as; it may only read and write rows.

    The two take turns when credentials are rotated.
    """
    return f"{'tenant2' if alternate else 'tenant'}_{_plain(tenant)}"


def owner_role(tenant: str) -> str:
    """Name of the role that owns and migrates the schema; it cannot log in."""
    return f"owner_{_plain(tenant)}"


def migration(version: int, tenant: str) -> str:
    """SQL that migrates the tenant's schema from the previous version to this one; run as the owner.

    A released migration never changes.
    """
    return _script(f"v{version}.sql", tenant)


def grants(tenant: str, login: str) -> str:
    """SQL that grants a login role its privileges; run as the owner after every migration."""
    return _script("grants.sql", tenant).replace("{login}", f'"{login}"')


def _script(name: str, tenant: str) -> str:
    return files(__package__).joinpath(name).read_text().replace("{schema}", f'"{schema(tenant)}"')


def _plain(tenant: str) -> str:
    return tenant.replace("-", "_")
