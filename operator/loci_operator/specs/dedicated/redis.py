"""Redis of a tenant's own: the cache of searches. It keeps nothing, since losing it costs only time."""

from __future__ import annotations

import hashlib
from typing import Final
from urllib.parse import unquote, urlsplit

from loci_operator.specs.dedicated.server import CONFIG, Server, container, mount, probes
from loci_operator.specs.stores import ServerSettings

PORT: Final = 6379
USER: Final = "loci"
_FILE: Final = "redis.conf"
_CONFIG: Final = """port {port}
protected-mode no
save ""
appendonly no
dir /tmp
maxmemory 64mb
maxmemory-policy allkeys-lru
user default off
user {user} on #{digest} ~* &* +@all -@admin -@dangerous
"""


def redis(settings: ServerSettings, url: str) -> Server:
    """One server without a volume, with one user: the one of the URL."""
    password = unquote(urlsplit(url).password or "")
    text = _CONFIG.format(port=PORT, user=USER, digest=hashlib.sha256(password.encode()).hexdigest())
    main = container(
        "redis",
        settings.image,
        settings.resources,
        command=["redis-server", f"{CONFIG}/{_FILE}"],
        ports=[{"name": "redis", "containerPort": PORT, "protocol": "TCP"}],
        volumeMounts=[mount("config", CONFIG, read_only=True), mount("tmp", "/tmp")],  # noqa: S108
        **probes({"tcpSocket": {"port": PORT}}, start_seconds=60),
    )
    return Server("redis", PORT, (main,), {_FILE: text}, has_volume=False, grace_seconds=30)
