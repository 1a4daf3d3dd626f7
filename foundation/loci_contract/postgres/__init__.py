"""A tenant's share of a PostgreSQL server: the names of its roles and schema, and the schema's versions.

The operator creates it; the tenant's data plane uses it. All names are made from the tenant's name, whose `-` becomes
`_`: no two tenants share a name, since a tenant's name has no `_`. The prefixes differ, so that no tenant's login role
is another's owner role.
"""

from __future__ import annotations

from importlib.resources import files
from typing import Final

SCHEMA_VERSION: Final = 2
"""The newest version of the schema. A release works with this one and the one before, so that pods can be replaced
one by one after a migration."""


def schema(tenant: str) -> str:
    """The tenant's schema."""
    return f"tenant_{_plain(tenant)}"


def login_role(tenant: str) -> str:
    """The role that the tenant's pods log in as: it may read and write rows, and nothing else."""
    return f"tenant_{_plain(tenant)}"


def owner_role(tenant: str) -> str:
    """The role that owns the schema and its tables and migrates them; nobody logs in as it."""
    return f"owner_{_plain(tenant)}"


def migration(version: int, tenant: str) -> str:
    """The statements that make a version of the tenant's schema out of the one before; the owner runs them.

    A version never changes once it was released.
    """
    return _script(f"v{version}.sql", tenant)


def grants(tenant: str) -> str:
    """The statements that give the login role what it may do; the owner runs them after any migration."""
    return _script("grants.sql", tenant)


def _script(name: str, tenant: str) -> str:
    text = files(__package__).joinpath(name).read_text()
    return text.replace("{schema}", f'"{schema(tenant)}"').replace("{login}", f'"{login_role(tenant)}"')


def _plain(tenant: str) -> str:
    return tenant.replace("-", "_")
