"""A tenant's access to its stores outside the pod, and the platform's settings of shared and dedicated ones."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote, urlsplit, urlunsplit

from pydantic import BaseModel, ConfigDict, Field

from loci_contract import postgres, redis

STORES_SECRET: Final = "loci-stores"  # noqa: S105 - an object's name
"""The Secret in a tenant's namespace with its credentials for its stores; the pod has its entries as files."""
POSTGRES_DSN: Final = "postgres-dsn"
CHROMA_TOKEN: Final = "chroma-token"  # noqa: S105 - a file's name
NEO4J_PASSWORD: Final = "neo4j-password"  # noqa: S105 - a file's name
REDIS_URL: Final = "redis-url"
POSTGRES_ADMIN: Final = "postgres-admin-password"
"""Entry of the Secret of the tenant's own PostgreSQL: the superuser's password."""


class ServerSettings(BaseModel):
    """One kind of server of a tenant's own."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    image: str = Field(description="Container image.")
    resources: dict[str, Any] = Field(default_factory=dict, description="Compute resources of the container.")


class Neo4jSettings(ServerSettings):
    """Neo4j of a tenant's own."""

    heap: str = Field("512m", pattern=r"^[0-9]+[mg]$", description="Size of Java's heap.")
    page_cache: str = Field("256m", pattern=r"^[0-9]+[mg]$", description="Size of the page cache.", alias="pageCache")


class DedicatedStores(BaseModel):
    """Servers of tenants with the dedicated profile."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    postgres: ServerSettings
    chroma: ServerSettings
    gate: ServerSettings
    """Envoy, which lets only the tenant's token through to its Chroma."""
    neo4j: Neo4jSettings
    redis: ServerSettings


_PORTS: Final = {
    **dict.fromkeys(("postgresql", "postgres"), 5432),
    **dict.fromkeys(("bolt", "bolt+s", "neo4j", "neo4j+s"), 7687),
    **dict.fromkeys(("redis", "rediss"), 6379),
    "http": 80,
    "https": 443,
}
"""Default ports by scheme."""


@dataclass(frozen=True)
class PostgresAccess:
    """A tenant's schema in PostgreSQL.

    Args:
        dsn: its address with the tenant's role.
        admin_password: the superuser's password, of a server of the tenant's own.
    """

    dsn: str = field(repr=False)
    admin_password: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class ChromaAccess:
    """A tenant's collection; without an id, the pod finds or makes it in its own server."""

    url: str
    token: str = field(repr=False)
    collection: str | None = None


@dataclass(frozen=True)
class Neo4jAccess:
    """A tenant's graph."""

    url: str
    password: str = field(repr=False)
    user: str = "neo4j"


@dataclass(frozen=True)
class RedisAccess:
    """A tenant's cache.

    Args:
        url: the server's address with the tenant's user.
        is_cluster: whether it is a node of a Redis Cluster.
    """

    url: str = field(repr=False)
    is_cluster: bool = False


@dataclass(frozen=True)
class StoreAccess:
    """A tenant's access to its stores; None for those in its pod."""

    postgres: PostgresAccess | None = None
    chroma: ChromaAccess | None = None
    neo4j: Neo4jAccess | None = None
    redis: RedisAccess | None = None

    @property
    def credentials(self) -> dict[str, str]:
        """Entries of STORES_SECRET."""
        entries = {
            POSTGRES_DSN: self.postgres and self.postgres.dsn,
            CHROMA_TOKEN: self.chroma and self.chroma.token,
            NEO4J_PASSWORD: self.neo4j and self.neo4j.password,
            REDIS_URL: self.redis and self.redis.url,
        }
        return {name: text for name, text in entries.items() if text}


NO_STORES: Final = StoreAccess()


def tenant_dsn(address: str, tenant: str, password: str) -> str:
    """A database's address with the tenant's role."""
    return _with_user(address, postgres.login_role(tenant), password)


def tenant_redis_url(address: str, tenant: str, password: str) -> str:
    """A Redis server's address with the tenant's user."""
    return _with_user(address, redis.user(tenant), password)


def _with_user(address: str, user: str, password: str) -> str:
    parts = urlsplit(address)
    login = f"{quote(user, safe='')}:{quote(password, safe='')}"
    return urlunsplit(parts._replace(netloc=f"{login}@{parts.netloc}"))


def address_ports(address: str) -> list[int]:
    """The ports of an address, which may name several hosts."""
    parts = urlsplit(address)
    hosts = parts.netloc.rpartition("@")[2].split(",")
    ports = [host.rpartition(":")[2] for host in hosts]
    return sorted({int(port) if port.isdigit() else _PORTS[parts.scheme] for port in ports})


def without_credentials(address: str) -> str:
    """A database's address without user and password."""
    parts = urlsplit(address)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
