"""Where a tenant's data is kept outside its namespace: the shared stores, and the tenant's access to them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote, urlsplit, urlunsplit

from loci_contract import postgres

STORES_SECRET: Final = "loci-stores"  # noqa: S105 - an object's name
"""The Secret in a tenant's namespace with its credentials for the shared stores."""
POSTGRES_DSN: Final = "postgres-dsn"
CHROMA_TOKEN: Final = "chroma-token"  # noqa: S105 - a file's name
"""Its entries, which the pod has as files of these names."""


@dataclass(frozen=True)
class SharedStores:
    """The platform's stores for tenants of the shared profile.

    Args:
        postgres_address: the database's address as pods reach it, without user and password.
        chroma_url: base URL of the gate before Chroma.
        egress: rules of a network policy that lead to these stores and nowhere else.
    """

    postgres_address: str
    chroma_url: str
    egress: tuple[dict[str, Any], ...] = ()

    def dsn(self, tenant: str, password: str) -> str:
        """The address of the tenant's schema with its role."""
        address = urlsplit(self.postgres_address)
        user = f"{quote(postgres.login_role(tenant), safe='')}:{quote(password, safe='')}"
        return urlunsplit(address._replace(netloc=f"{user}@{address.netloc}"))


@dataclass(frozen=True)
class StoreAccess:
    """A tenant's access to the shared stores."""

    postgres_dsn: str = field(repr=False)
    chroma_url: str
    chroma_collection: str
    chroma_token: str = field(repr=False)


def without_credentials(address: str) -> str:
    """A database's address without user and password."""
    parts = urlsplit(address)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
