"""The registry as the operator writes it: one labelled Secret per tenant, listed once and watched."""

from __future__ import annotations

import asyncio
import base64
import binascii
import contextlib
import random
from collections.abc import AsyncIterator, Iterable
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import aiohttp
import orjson
from kubernetes.aio.client import ApiClient, ApiException, CoreV1Api

from loci_contract.names import LABEL_REGISTRY, REGISTRY_DATA_KEY, REGISTRY_TENANT, registry_secret
from loci_contract.registry import RegistryRecord
from loci_policy.registry.updates import Alive, Changed, Lost, Removed, Snapshot, Update, read_record
from loci_runtime.kubernetes import kubernetes_client

_SELECTOR: Final = f"{LABEL_REGISTRY}={REGISTRY_TENANT}"
_NAME_PREFIX: Final = registry_secret("")
_WATCH_SECONDS: Final = 60
"""A watch is renewed this often: a connection that died unnoticed is found out at most so much later."""
_FIRST_PAUSE: Final = 0.1
_LONGEST_PAUSE: Final = 2.0
_PAGE: Final = 500


class WatchBrokenError(Exception):
    """A watch cannot go on from where it was: everything must be listed again."""


class KubernetesSource:
    """Lists and watches the registry Secrets of the system namespace."""

    def __init__(self, client: ApiClient, namespace: str) -> None:
        self._secrets = CoreV1Api(client)
        self._namespace = namespace

    async def updates(self) -> AsyncIterator[Update]:
        """A snapshot and the changes after it; on any trouble, said once, the same again after a short pause."""
        pause = _FIRST_PAUSE
        while True:
            try:
                version, secrets = await self._list()
                for update in snapshot(secrets):
                    yield update
                pause = _FIRST_PAUSE
                async for update in self._changes(version):
                    yield update
            except _TROUBLE as error:
                yield Lost(type(error).__name__)
            await asyncio.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311 - spreads the replicas
            pause = min(pause * 2, _LONGEST_PAUSE)

    async def _list(self) -> tuple[str, list[dict[str, Any]]]:
        secrets: list[dict[str, Any]] = []
        following: str | None = None
        while True:
            answer = await self._secrets.list_namespaced_secret_without_preload_content(
                self._namespace,
                label_selector=_SELECTOR,
                limit=_PAGE,
                _continue=following,
                _request_timeout=float(_WATCH_SECONDS),
            )
            page = orjson.loads(await _read(answer))
            secrets += page["items"]
            following = page["metadata"].get("continue")
            if not following:
                return page["metadata"]["resourceVersion"], secrets

    async def _changes(self, version: str) -> AsyncIterator[Update]:
        while True:
            async for line in self._watch(version):
                event = orjson.loads(line)
                if event["type"] == "ERROR":
                    raise WatchBrokenError
                version = event["object"]["metadata"]["resourceVersion"]
                yield change(event)
            yield Alive()

    async def _watch(self, version: str) -> AsyncIterator[bytes]:
        answer = await self._secrets.list_namespaced_secret_without_preload_content(
            self._namespace,
            label_selector=_SELECTOR,
            resource_version=version,
            allow_watch_bookmarks=True,
            watch=True,
            timeout_seconds=_WATCH_SECONDS,
            _request_timeout=float(_WATCH_SECONDS + 10),
        )
        async with answer:
            _check(answer)
            async for line in answer.content:
                yield line


_TROUBLE: Final = (ApiException, aiohttp.ClientError, orjson.JSONDecodeError, WatchBrokenError, TimeoutError, OSError)
"""What may heal: the API server away or busy, a connection cut in the middle of a line."""


@contextlib.asynccontextmanager
async def kubernetes_source(namespace: str, kubeconfig: Path | None) -> AsyncIterator[KubernetesSource]:
    """The source, as the pod's ServiceAccount when there is no kubeconfig."""
    async with kubernetes_client(kubeconfig) as api:
        yield KubernetesSource(api, namespace)


async def _read(answer: aiohttp.ClientResponse) -> bytes:
    async with answer:
        _check(answer)
        return await answer.read()


def _check(answer: aiohttp.ClientResponse) -> None:
    if not answer.ok:
        raise ApiException(status=answer.status)


def snapshot(secrets: Iterable[dict[str, Any]]) -> list[Update]:
    """The updates that stand for a list of registry Secrets."""
    read = {_tenant(secret): _record(secret) for secret in secrets}
    invalid = [Removed(tenant, invalid=True) for tenant, record in read.items() if record is None]
    return [Snapshot(tuple(record for record in read.values() if record)), *invalid]


def change(event: dict[str, Any]) -> Update:
    """The update that a watch event stands for."""
    secret = event["object"]
    if event["type"] == "BOOKMARK":
        return Alive()
    if event["type"] == "DELETED":
        return Removed(_tenant(secret))
    record = _record(secret)
    return Changed(record, _written_at(secret)) if record else Removed(_tenant(secret), invalid=True)


def _tenant(secret: dict[str, Any]) -> str:
    return str(secret["metadata"]["name"]).removeprefix(_NAME_PREFIX)


def _record(secret: dict[str, Any]) -> RegistryRecord | None:
    try:
        document = base64.b64decode(secret.get("data", {}).get(REGISTRY_DATA_KEY, ""), validate=True)
    except binascii.Error:
        return None
    return read_record(_tenant(secret), document)


def _written_at(secret: dict[str, Any]) -> float | None:
    times = [entry["time"] for entry in secret["metadata"].get("managedFields", ()) if "time" in entry]
    return max((datetime.fromisoformat(time).timestamp() for time in times), default=None)
