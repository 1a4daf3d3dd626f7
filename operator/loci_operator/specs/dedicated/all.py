"""Which stores of its own a tenant has."""

from __future__ import annotations

from loci_operator.specs.context import Context
from loci_operator.specs.dedicated.chroma import chroma
from loci_operator.specs.dedicated.neo4j import neo4j
from loci_operator.specs.dedicated.postgres import postgres
from loci_operator.specs.dedicated.redis import redis
from loci_operator.specs.dedicated.server import Server
from loci_resources.storage import GraphKind, StoreKind


def servers(context: Context) -> list[Server]:
    """The tenant's own servers."""
    settings, access, places = context.platform.dedicated, context.stores, context.placement
    found: list[Server] = []
    if settings is None:
        return found
    if access.postgres and places.records is StoreKind.DEDICATED:
        found.append(postgres(settings.postgres, access.postgres))
    if access.chroma and places.vectors is StoreKind.DEDICATED:
        found.append(chroma(settings.chroma, settings.gate, access.chroma))
    if access.neo4j and places.graph is GraphKind.NEO4J:
        found.append(neo4j(settings.neo4j, access.neo4j))
    if access.redis and places.cache is StoreKind.DEDICATED:
        found.append(redis(settings.redis, access.redis.url))
    return found
