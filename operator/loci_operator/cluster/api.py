"""Requests to the API server as raw JSON: the official client's connection and login, without its models."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterable
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

import aiohttp
import orjson
from kubernetes.aio.client import ApiClient

from loci_operator.cluster.kinds import Kind, kind_of
from loci_runtime.kubernetes import kubernetes_client

MANAGER: Final = "loci-operator"
_TIMEOUT: Final = 30.0
_APPLY: Final = "application/apply-patch+yaml"
_MERGE: Final = "application/merge-patch+json"
_METADATA_ONLY: Final = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"

Json = dict[str, Any]


class ApiError(Exception):
    """The API server refused; `status` is HTTP's, `reason` Kubernetes'. The message may be shown: it quotes no data."""

    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason


class Api:
    """Calls by kind and name."""

    def __init__(self, client: ApiClient) -> None:
        self._client = client

    async def get(self, kind: Kind, name: str, namespace: str | None = None) -> Json | None:
        """An object, or None when there is none."""
        try:
            return await self._call("GET", kind.path(name, namespace))
        except ApiError as error:
            if error.status == HTTPStatus.NOT_FOUND:
                return None
            raise

    async def list(self, kind: Kind) -> Iterable[Json]:
        """Every object of a kind."""
        items: list[Json] = (await self._call("GET", kind.path(None, None)))["items"]
        return items

    async def apply(self, manifest: Json, *, dry_run: bool = False) -> Json:
        """Server-side apply, by force: what the manifest names becomes so; the object as it then is (or would be)."""
        kind, metadata = kind_of(manifest), manifest["metadata"]
        query = f"fieldManager={MANAGER}&force=true" + ("&dryRun=All" if dry_run else "")
        path = f"{kind.path(metadata['name'], metadata.get('namespace'))}?{query}"
        return await self._call("PATCH", path, manifest, _APPLY)

    async def merge(self, kind: Kind, name: str, namespace: str, patch: Json) -> None:
        """Set fields of an object that is there; null removes one."""
        await self._call("PATCH", f"{kind.path(name, namespace)}?fieldManager={MANAGER}", patch, _MERGE)

    async def merge_status(self, kind: Kind, name: str, status: Json) -> None:
        """Set fields of a cluster-scoped object's status; null removes one."""
        path = f"{kind.path(name, None)}/status?fieldManager={MANAGER}"
        await self._call("PATCH", path, {"status": status}, _MERGE)

    async def delete(self, kind: Kind, name: str, namespace: str | None = None, *, orphan: bool = False) -> None:
        """Delete an object if there is one; with `orphan`, what it owns stays."""
        policy = "?propagationPolicy=Orphan" if orphan else ""
        try:
            await self._call("DELETE", kind.path(name, namespace) + policy)
        except ApiError as error:
            if error.status != HTTPStatus.NOT_FOUND:
                raise

    async def watch(self, kind: Kind, selector: str, *, whole: bool, seconds: int) -> AsyncIterator[Json]:
        """Events of all objects with these labels, beginning with those there are, then a bookmark that says so."""
        query = {
            "watch": "true",
            "labelSelector": selector,
            "sendInitialEvents": "true",
            "resourceVersionMatch": "NotOlderThan",
            "allowWatchBookmarks": "true",
            "timeoutSeconds": str(seconds),
        }
        headers = {"Accept": "application/json" if whole else _METADATA_ONLY}
        path = f"{kind.path(None, None)}?{urlencode(query)}"
        async with await self._send("GET", path, headers, seconds=seconds + 15) as response:
            if not response.ok:
                raise _error(response.status, await response.read())
            async for line in response.content:
                event: Json = orjson.loads(line)
                if event["type"] == "ERROR":
                    status = event["object"]
                    raise ApiError(status.get("code", 500), status.get("reason", ""), "the watch was ended")
                yield event

    async def _call(
        self, method: str, path: str, body: Json | None = None, content_type: str = "application/json"
    ) -> Json:
        headers = {"Accept": "application/json", "Content-Type": content_type}
        async with await self._send(method, path, headers, body) as response:
            content = await response.read()
        if not response.ok:
            raise _error(response.status, content)
        document: Json = orjson.loads(content)
        return document

    async def _send(
        self, method: str, path: str, headers: dict[str, str], body: Json | None = None, *, seconds: float = _TIMEOUT
    ) -> aiohttp.ClientResponse:
        _, url, signed, _, _ = await self._client.param_serialize(
            method, path, header_params=headers, auth_settings=["BearerToken"]
        )
        rest = self._client.rest_client
        if rest.pool_manager is None:
            rest.pool_manager = rest._create_pool_manager()  # noqa: SLF001 - as the client itself does on its first call
        limit = aiohttp.ClientTimeout(total=seconds)
        data = orjson.dumps(body) if body is not None else None
        response: aiohttp.ClientResponse = await rest.pool_manager.request(
            method, url, headers=signed, data=data, timeout=limit
        )
        return response


@contextlib.asynccontextmanager
async def api(kubeconfig: Path | None) -> AsyncIterator[Api]:
    """Calls as the kubeconfig's user, or as the pod's ServiceAccount when there is none."""
    async with kubernetes_client(kubeconfig) as client:
        yield Api(client)


def _error(status: int, content: bytes) -> ApiError:
    try:
        document = orjson.loads(content)
    except orjson.JSONDecodeError:
        document = {}
    return ApiError(status, document.get("reason", ""), document.get("message", f"status {status}"))
