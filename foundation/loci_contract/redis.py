"""A tenant's share of a Redis server: the names of its user and of its keys.

The operator creates the user and the tenant's data plane uses it. The braces are a hash tag, which keeps all keys of a
tenant on one node of a Redis Cluster.
"""

from __future__ import annotations

from typing import Final

COMMANDS: Final = ("ping", "hget", "hset", "hlen", "expire", "unlink")
"""Commands that the data plane uses; a tenant's user may use these on its keys, and no others."""
CONNECTION: Final = (
    "hello",
    "auth",
    "cluster|slots",
    "cluster|shards",
    "cluster|myid",
    "command",
    "asking",
    "readonly",
)
"""Commands by which clients log in, and find their way in a cluster."""


def user(tenant: str, *, alternate: bool = False) -> str:
    """Name of one of a tenant's two users, which take turns when credentials are rotated."""
    return f"{'tenant2' if alternate else 'tenant'}-{tenant}"


def prefix(tenant: str) -> str:
    """Prefix of all keys of a tenant."""
    return f"t:{{{tenant}}}:"
