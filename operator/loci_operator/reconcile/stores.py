"""Why a tenant's own stores are not ready. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from loci_operator.reconcile.causes import Problem
from loci_operator.reconcile.observed import ObjectRef, Seen
from loci_operator.specs.dedicated.server import Server

STARTING: Final = "StoreStarting"
_TITLES: Final = {"postgres": "PostgreSQL", "chroma": "Chroma", "neo4j": "Neo4j", "redis": "Redis"}


def stores_problem(
    seen: Mapping[ObjectRef, Seen],
    namespace: str,
    servers: Sequence[Server],
    cause: Callable[[str], Problem | None],
) -> Problem | None:
    """The first store of its own that a tenant waits for; `cause` tells why the pods of a StatefulSet are not ready."""
    for server in servers:
        workload = seen.get(ObjectRef("StatefulSet", namespace, server.name))
        if workload is None or not workload.ready:
            return _told(server, namespace, cause(server.name))
    return None


def unused_cache(seen: Mapping[ObjectRef, Seen], namespace: str, servers: Sequence[Server]) -> ObjectRef | None:
    """The tenant's own Redis that it no longer uses. No other store is ever taken away: they hold data."""
    redis = ObjectRef("StatefulSet", namespace, "loci-redis")
    is_used = any(server.name == redis.name for server in servers)
    return redis if redis in seen and not is_used else None


def _told(server: Server, namespace: str, problem: Problem | None) -> Problem:
    title = _TITLES[server.component]
    if problem:
        return Problem(problem.reason, f"{title}: {problem.message}")
    inspect = f"kubectl describe statefulset,pod -n {namespace} -l app.kubernetes.io/name={server.name}"
    return Problem(STARTING, f"{title} is not ready. Inspect it: {inspect}")
