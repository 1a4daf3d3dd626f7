"""Calls by kind and name as raw JSON: the official client's login without its models, which cost more than a call."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlencode

import orjson

from loci_kubernetes.connection import Connection, Timeouts, connection
from loci_kubernetes.errors import ApiError, UnreachableError, api_error
from loci_kubernetes.kinds import Kind

_CALL: Final = Timeouts(silence=10.0, total=30.0)
_PAGE: Final = 500
_JSON: Final = "application/json"
_APPLY: Final = "application/apply-patch+yaml"
_MERGE: Final = "application/merge-patch+json"
_METADATA_ONLY: Final = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"

Json = dict[str, Any]


class Api:
    """Calls to the API server. Any may raise ApiError or UnreachableError."""

    def __init__(self, connection: Connection, manager: str, called: Callable[[str], None] | None = None) -> None:
        """`manager` is the field manager of all writes; `called` gets the verb of each request."""
        self._connection = connection
        self._called = called or (lambda _: None)
        self._manager = manager

    async def get(self, kind: Kind, name: str, namespace: str | None = None) -> Json | None:
        """An object, or None when there is none."""
        try:
            return await self._call("GET", kind.path(quote(name, safe=""), namespace))
        except ApiError as error:
            if error.status == HTTPStatus.NOT_FOUND:
                return None
            raise

    async def list(self, kind: Kind, namespace: str | None = None, **query: str) -> list[Json]:
        """Every object of a kind, page by page."""
        items: list[Json] = []
        query["limit"] = str(_PAGE)
        while True:
            page = await self._call("GET", f"{kind.path(None, namespace)}?{urlencode(query)}")
            items += page["items"]
            if not (following := page["metadata"].get("continue")):
                return items
            query["continue"] = following

    async def create(self, kind: Kind, manifest: Json) -> Json:
        """Create an object; ApiError 409 when there is one of its name."""
        return await self._call("POST", self._path(kind, None, manifest["metadata"].get("namespace")), manifest)

    async def apply(self, kind: Kind, manifest: Json, *, dry_run: bool = False) -> Json:
        """Server-side apply, by force: what the manifest names becomes so; the object as it then is (or would be)."""
        metadata = manifest["metadata"]
        query = {"force": "true"} | ({"dryRun": "All"} if dry_run else {})
        path = self._path(kind, metadata["name"], metadata.get("namespace"), **query)
        return await self._call("PATCH", path, manifest, _APPLY)

    async def merge(self, kind: Kind, name: str, patch: Json, namespace: str | None = None) -> Json:
        """Set fields of an object that is there; null removes one."""
        return await self._call("PATCH", self._path(kind, name, namespace), patch, _MERGE)

    async def merge_status(self, kind: Kind, name: str, status: Json) -> Json:
        """Set fields of a cluster-scoped object's status; null removes one."""
        path = self._path(kind, f"{name}/status", None)
        return await self._call("PATCH", path, {"status": status}, _MERGE)

    async def delete(self, kind: Kind, name: str, namespace: str | None = None, *, orphan: bool = False) -> bool:
        """Delete an object; false when there is none. With `orphan`, what it owns stays."""
        policy = "?propagationPolicy=Orphan" if orphan else ""
        try:
            await self._call("DELETE", kind.path(name, namespace) + policy)
        except ApiError as error:
            if error.status != HTTPStatus.NOT_FOUND:
                raise
            return False
        return True

    async def watch(
        self, kind: Kind, namespace: str | None, query: dict[str, str], *, metadata_only: bool, silence: float
    ) -> AsyncGenerator[Json, None]:
        """The events of one watch request, until the API server ends it.

        Raises:
            UnreachableError: no line came for `silence` seconds, or the connection broke.
        """
        path = f"{kind.path(None, namespace)}?{urlencode({'watch': 'true', 'allowWatchBookmarks': 'true', **query})}"
        self._called("WATCH")
        headers = {"Accept": _METADATA_ONLY if metadata_only else _JSON}
        async with self._connection.request("GET", path, headers, timeouts=Timeouts(silence)) as response:
            if not response.ok:
                raise api_error(response.status, await response.read())
            async for line in response.content:
                yield _parse(line)

    def _path(self, kind: Kind, name: str | None, namespace: str | None, **query: str) -> str:
        return f"{kind.path(name, namespace)}?{urlencode({'fieldManager': self._manager, **query})}"

    async def _call(self, method: str, path: str, body: Json | None = None, content_type: str = _JSON) -> Json:
        self._called(method)
        headers = {"Accept": _JSON, "Content-Type": content_type}
        async with self._connection.request(method, path, headers, body, timeouts=_CALL) as response:
            content = await response.read()
        if not response.ok:
            raise api_error(response.status, content)
        return _parse(content)


def _parse(content: bytes) -> Json:
    try:
        document: Json = orjson.loads(content)
    except orjson.JSONDecodeError as error:  # a connection cut in the middle of a line
        raise UnreachableError("incomplete response") from error
    return document


@contextlib.asynccontextmanager
async def api(kubeconfig: Path | None, manager: str, called: Callable[[str], None] | None = None) -> AsyncIterator[Api]:
    """Calls as the kubeconfig's user, or as the pod's ServiceAccount when there is none."""
    async with connection(kubeconfig) as made:
        yield Api(made, manager, called)
