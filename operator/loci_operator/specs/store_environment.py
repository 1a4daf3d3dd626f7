"""Environment of the data plane that tells it where its stores are; credentials are files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from loci_contract import environment
from loci_operator.specs.context import Context, Manifest
from loci_operator.specs.stores import CHROMA_TOKEN, NEO4J_PASSWORD, POSTGRES_DSN, REDIS_URL

DATA: Final = "/data"
CONFIG: Final = "/etc/loci"
COLLECTION_FILE: Final = f"{DATA}/chroma-collection"
"""Where the init container notes the id of the collection in the tenant's own Chroma."""


def store_environment(context: Context) -> dict[str, str]:
    """Variables for the stores that are not in the pod."""
    access, found = context.stores, {}
    if access.postgres:
        found[environment.POSTGRES_DSN_FILE] = f"{CONFIG}/{POSTGRES_DSN}"
    if access.chroma:
        found[environment.CHROMA_URL] = access.chroma.url
        if access.chroma.collection:
            found[environment.CHROMA_COLLECTION] = access.chroma.collection
        else:
            found[environment.CHROMA_COLLECTION_FILE] = COLLECTION_FILE
        found[environment.CHROMA_TOKEN_FILE] = f"{CONFIG}/{CHROMA_TOKEN}"
    if access.neo4j:
        found[environment.NEO4J_URL] = access.neo4j.url
        found[environment.NEO4J_USER] = access.neo4j.user
        found[environment.NEO4J_PASSWORD_FILE] = f"{CONFIG}/{NEO4J_PASSWORD}"
    if access.redis:
        found[environment.REDIS_URL_FILE] = f"{CONFIG}/{REDIS_URL}"
        if access.redis.is_cluster:
            found[environment.REDIS_CLUSTER] = "true"
    return found


def env(variables: Mapping[str, str]) -> list[Manifest]:
    """Environment of a container."""
    return [{"name": name, "value": value} for name, value in variables.items()]
