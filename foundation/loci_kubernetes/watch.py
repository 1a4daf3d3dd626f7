"""List-and-watch: yields every existing object of a kind, then each change, indefinitely.

One watch request streams the objects that exist, up to the bookmark that ends them. After that, short watch requests
of WATCH_SECONDS follow one another from the last version seen. The API server ends each in time, so a healthy
connection is never silent for longer than that, however little changes; SILENCE_SECONDS without a byte mean that it is
half open. It is then closed, `Lost` is reported, and everything is listed again over a new connection:
a change is seen at most BOUND_SECONDS late. The cost is one request for each kind every WATCH_SECONDS.

Failure modes: an API server that is away or refuses is asked again with back-off, `Lost` each time; a version that
became too old (410) lists again without further notice. What was deleted meanwhile is not reported one by one: the
consumer drops objects that were not `Found` when `Complete` comes.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

from loci_kubernetes.api import Api, Json
from loci_kubernetes.errors import ApiError, KubernetesError, UnreachableError
from loci_kubernetes.kinds import Kind
from loci_runtime.backoff import Backoff

WATCH_SECONDS: Final = 5
SILENCE_SECONDS: Final = 8.0
BOUND_SECONDS: Final = 10.0
"""The longest time that a silent connection delays news, connecting again and listing included."""
_LIST_SECONDS: Final = 300
_BACKOFF: Final = Backoff(first=0.2, longest=2.0)
_LISTED: Final = "k8s.io/initial-events-end"


@dataclass(frozen=True, slots=True)
class Watched:
    """Which objects to follow."""

    kind: Kind
    labels: str = ""
    fields: str = ""
    namespace: str | None = None
    metadata_only: bool = False

    def query(self) -> dict[str, str]:
        """The selectors as query parameters."""
        selectors = {"labelSelector": self.labels, "fieldSelector": self.fields}
        return {name: selector for name, selector in selectors.items() if selector}


@dataclass(frozen=True, slots=True)
class Found:
    """An object that existed when the listing began."""

    object: Json


@dataclass(frozen=True, slots=True)
class Complete:
    """Every object was `Found`; what was not is gone."""


@dataclass(frozen=True, slots=True)
class Changed:
    """An object was created or changed."""

    object: Json


@dataclass(frozen=True, slots=True)
class Deleted:
    """An object was deleted; its last state."""

    object: Json


@dataclass(frozen=True, slots=True)
class Alive:
    """Nothing changed, and the connection works."""


@dataclass(frozen=True, slots=True)
class Lost:
    """The API server cannot be followed; a new listing will come."""

    reason: str


Update = Found | Complete | Changed | Deleted | Alive | Lost


async def follow(api: Api, watched: Watched) -> AsyncIterator[Update]:
    """Updates without end; never raises for what trying again may heal."""
    failures = 0
    while True:
        try:
            async for update in _list_and_watch(api, watched):
                failures = 0
                yield update
        except KubernetesError as error:
            failures += 1
            yield Lost(_reason(error))
        await asyncio.sleep(_BACKOFF.delay(max(failures, 1)))


def _reason(error: KubernetesError) -> str:
    return f"status {error.status}" if isinstance(error, ApiError) else str(error)


async def _list_and_watch(api: Api, watched: Watched) -> AsyncIterator[Update]:
    """Ends when the last version became too old."""
    version = ""
    try:
        async for event in _listing(api, watched):
            version = event["object"]["metadata"]["resourceVersion"]
            yield _listed(event)
        while True:
            query = {"resourceVersion": version, "timeoutSeconds": str(WATCH_SECONDS)}
            async for event in _events(api, watched, query):
                version = event["object"]["metadata"]["resourceVersion"]
                yield _update(event)
            yield Alive()
    except ApiError as error:
        if error.status != HTTPStatus.GONE:
            raise


async def _listing(api: Api, watched: Watched) -> AsyncIterator[Json]:
    """The objects that exist, then the bookmark that says so."""
    query = {
        "sendInitialEvents": "true",
        "resourceVersionMatch": "NotOlderThan",
        "timeoutSeconds": str(_LIST_SECONDS),
    }
    async with contextlib.aclosing(_events(api, watched, query)) as events:
        async for event in events:
            is_bookmark = event["type"] == "BOOKMARK"
            is_end = is_bookmark and _LISTED in event["object"]["metadata"].get("annotations", {})
            if is_end or not is_bookmark:
                yield event
            if is_end:
                return
    raise UnreachableError("incomplete listing")


async def _events(api: Api, watched: Watched, query: dict[str, str]) -> AsyncGenerator[Json, None]:
    answer = api.watch(
        watched.kind,
        watched.namespace,
        watched.query() | query,
        metadata_only=watched.metadata_only,
        silence=SILENCE_SECONDS,
    )
    async with contextlib.aclosing(answer) as events:
        async for event in events:
            if event["type"] == "ERROR":
                status: dict[str, Any] = event["object"]
                raise ApiError(status.get("code", 500), status.get("reason", ""), "the watch was ended")
            yield event


def _listed(event: Json) -> Update:
    if event["type"] == "BOOKMARK":
        return Complete()
    return Found(event["object"]) if event["type"] == "ADDED" else _update(event)


def _update(event: Json) -> Update:
    match event["type"]:
        case "BOOKMARK":
            return Alive()
        case "DELETED":
            return Deleted(event["object"])
        case _:
            return Changed(event["object"])
