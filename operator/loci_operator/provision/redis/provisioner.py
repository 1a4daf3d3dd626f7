"""Provisioner of tenants on a shared Redis or Valkey server or cluster.

A tenant gets a user that may run a short list of commands on keys that begin with its prefix, and reach no channel. The
list has no category: `@read` would allow SCAN, which shows the names of others' keys, and `@write` FUNCTION LOAD. The
server keeps users in memory, and in its ACL file if it has one; without a file, `create` makes them again after a
restart.
On a cluster every command goes to every node, since users are not replicated.

The share holds nothing but cached results, so it has no owner, and is not worth retaining: `holder` is always None.
Memory is shared: a tenant that fills it makes the server evict others' results, if its policy is `allkeys-lru`.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any, Final

from redis.asyncio import Redis
from redis.asyncio.cluster import RedisCluster
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import (
    AuthenticationError,
    ClusterDownError,
    NoPermissionError,
    RedisClusterException,
    RedisError,
    ResponseError,
)

from loci_contract import redis as names
from loci_contract.names import is_tenant_name
from loci_operator.provision.ports import DriftError, ProvisionError, StoreAwayError

_TIMEOUT: Final = 10.0
_SCANNED: Final = 1_000
_NO_FILE: Final = "not configured to use an ACL file"


@dataclass(frozen=True)
class Server:
    """A Redis server shared by tenants.

    Args:
        url: its address with a user that may run ACL, CLUSTER, SCAN and UNLINK on all keys.
        is_cluster: whether it is a node of a Redis Cluster.
    """

    url: str = field(repr=False)
    is_cluster: bool = False


class RedisProvisioner:
    """Provisions users on one server or cluster."""

    def __init__(self, server: Server) -> None:
        self._server = server

    async def prepare(self) -> None:
        """Reach the server; there is nothing to prepare."""
        async with self._connected() as nodes:
            await nodes.run("PING")

    async def create(self, tenant: str, password: str, *, alternate: bool = False) -> None:
        """Make the user, or bring it to its desired state, in one command."""
        user = names.user(_checked(tenant), alternate=alternate)
        async with self._connected() as nodes:
            await nodes.run("ACL SETUSER", user, *rules(tenant, password))
            await nodes.save()

    async def holder(self, tenant: str) -> None:
        """Return None: a cache has no owner."""
        _checked(tenant)

    async def hand_over(self, tenant: str, uid: str) -> None:
        """Do nothing: a cache has no owner."""
        _checked(tenant)
        del uid

    async def verify(self, tenant: str, password: str, *, alternate: bool = False) -> None:
        """Compare the user on every node with its desired state, made for comparison under another name."""
        user = names.user(_checked(tenant), alternate=alternate)
        async with self._connected() as nodes:
            for rendered in await nodes.run("ACL LIST"):
                users = {line.split(" ")[1]: line.split(" ")[2:] for line in map(_text, rendered)}
                if user not in users:
                    raise DriftError("the user is missing")
                if problem := _problem(users[user], tenant, password):
                    raise DriftError(problem)

    async def retire(self, tenant: str, *, alternate: bool) -> None:
        """Remove a user, which ends its connections."""
        async with self._connected() as nodes:
            await nodes.run("ACL DELUSER", names.user(_checked(tenant), alternate=alternate))
            await nodes.save()

    async def purge(self, tenant: str) -> None:
        """Remove both users, then all keys with the tenant's prefix."""
        users = [names.user(_checked(tenant), alternate=alternate) for alternate in (False, True)]
        async with self._connected() as nodes:
            await nodes.run("ACL DELUSER", *users)
            await nodes.save()
            await nodes.remove(f"{names.prefix(tenant)}*")

    @contextlib.asynccontextmanager
    async def _connected(self) -> AsyncIterator[_Nodes]:
        options: dict[str, Any] = {
            "socket_timeout": _TIMEOUT,
            "socket_connect_timeout": _TIMEOUT,
            "retry": Retry(NoBackoff(), 0),
        }
        kind = RedisCluster if self._server.is_cluster else Redis
        try:
            async with kind.from_url(self._server.url, **options) as client:
                yield _Nodes(client)
        except (AuthenticationError, NoPermissionError) as error:
            raise ProvisionError(f"Redis refuses the operator's user: {type(error).__name__}") from error
        except (OSError, ClusterDownError, RedisClusterException) as error:
            raise StoreAwayError(f"Redis is unavailable: {type(error).__name__}") from error
        except ResponseError as error:
            raise ProvisionError(f"Redis rejected the operation: {type(error).__name__}") from error
        except RedisError as error:
            raise StoreAwayError(f"Redis is unavailable: {type(error).__name__}") from error


class _Nodes:
    """All nodes of a cluster, or the one server."""

    def __init__(self, client: Redis | RedisCluster) -> None:
        self._client: Any = client

    async def run(self, *words: str) -> list[Any]:
        """Run a command on every node; return the replies."""
        if not isinstance(self._client, RedisCluster):
            return [await self._client.execute_command(*words)]
        await self._client.initialize()
        return [await node.execute_command(*words) for node in self._client.get_nodes()]

    async def save(self) -> None:
        """Write the users to the ACL file, if there is one."""
        try:
            await self.run("ACL SAVE")
        except ResponseError as error:
            if _NO_FILE not in str(error):
                raise

    async def remove(self, pattern: str) -> None:
        """Remove keys, a thousand at a time."""
        found = [key async for key in self._client.scan_iter(match=pattern, count=_SCANNED)]
        for start in range(0, len(found), _SCANNED):
            await self._client.unlink(*found[start : start + _SCANNED])


def rules(tenant: str, password: str) -> list[str]:
    """Rules of a tenant's user, from nothing."""
    allowed = [f"+{command}" for command in (*names.COMMANDS, *names.CONNECTION)]
    return ["reset", "on", f"#{_digest(password)}", f"~{names.prefix(tenant)}*", *allowed]


def _problem(held: list[str], tenant: str, password: str) -> str | None:
    """The first difference of a user's line in ACL LIST from its rules; the server writes commands in its own order."""
    words = set(held)
    wanted = set(rules(tenant, password)) - {"reset"}
    if f"#{_digest(password)}" not in words or "on" not in words:
        return "the user cannot log in with the password"
    extra = words - wanted - {"resetchannels", "-@all", "sanitize-payload"}
    if extra:
        return "the user may do more than it should"
    return "the user may not do what it should" if wanted - words else None


def _digest(password: str) -> str:
    return hashlib.sha256(password.encode()).hexdigest()


def _text(line: bytes | str) -> str:
    return line.decode() if isinstance(line, bytes) else line


def _checked(tenant: str) -> str:
    if not is_tenant_name(tenant):
        raise ValueError(f"{tenant!r} is not a valid tenant name")
    return tenant
