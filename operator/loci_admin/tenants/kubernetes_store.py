"""Tenants as objects of a cluster."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final, cast

import aiohttp
from kubernetes.aio.client import ApiClient, ApiException, CoreV1Api, CustomObjectsApi

from loci_contract.names import GROUP, VERSION, is_tenant_name, namespace
from loci_resources.tenant import ADOPT, MemoryTenant, MemoryTenantSpec
from loci_resources.tier import MemoryTier
from loci_runtime.errors import ConflictError, InvalidError, UnavailableError
from loci_runtime.kubernetes import kubernetes_client

_TENANTS: Final = (GROUP, VERSION, "memorytenants")
_TIERS: Final = (GROUP, VERSION, "memorytiers")
_MERGE: Final = "application/merge-patch+json"
_ATTEMPTS: Final = 5
_SECONDS: Final = 10
"""The most that one question to the API server may take."""

_Json = dict[str, Any]


class KubernetesStore:
    """The TenantStore port on the API server."""

    def __init__(self, client: ApiClient) -> None:
        self._objects = CustomObjectsApi(client)
        self._core = CoreV1Api(client)

    async def tiers(self) -> Sequence[MemoryTier]:
        """Every tier."""
        async with _asking():
            found = cast("_Json", await self._objects.list_cluster_custom_object(*_TIERS))
        return [MemoryTier.model_validate(item) for item in found["items"]]

    async def create(self, tenant: MemoryTenant) -> None:
        """Add a tenant; ConflictError also when an earlier one's namespace is still there."""
        name = tenant.metadata.name
        if await self._has_namespace(name):
            message = (
                f"An earlier tenant named {name} left its namespace {namespace(name)}, or it is still being removed: "
                f"delete it, choose another name, or take it over with kubectl and the annotation {ADOPT}=true."
            )
            raise ConflictError(message, "body.name")
        document = {
            "apiVersion": tenant.api_version,
            "kind": tenant.kind,
            "metadata": {"name": name},
            "spec": tenant.spec.document(),
        }
        async with _asking():
            await self._objects.create_cluster_custom_object(*_TENANTS, document)

    async def get(self, name: str) -> MemoryTenant | None:
        """One tenant."""
        try:
            return MemoryTenant.model_validate(await self._read(name))
        except _AbsentError:
            return None

    async def all(self) -> Sequence[MemoryTenant]:
        """Every tenant, by name: the API server's own order."""
        async with _asking():
            found = cast("_Json", await self._objects.list_cluster_custom_object(*_TENANTS))
        return [MemoryTenant.model_validate(item) for item in found["items"]]

    async def change(self, name: str, changed: Callable[[MemoryTenantSpec], MemoryTenantSpec]) -> MemoryTenant | None:
        """Replace a tenant's spec, on the very version that was read."""
        for _ in range(_ATTEMPTS):
            try:
                found = await self._read(name)
                before = MemoryTenant.model_validate(found).spec
                patch = {
                    "metadata": {"resourceVersion": found["metadata"]["resourceVersion"]},
                    "spec": _merge_patch(before.document(), changed(before).document()),
                }
                with contextlib.suppress(_StaleError):
                    return MemoryTenant.model_validate(await self._patch(name, patch))
            except _AbsentError:
                return None
        raise ConflictError("The tenant is being changed by others: try again.")

    async def delete(self, name: str) -> bool:
        """Remove a tenant."""
        try:
            async with _asking():
                await self._objects.delete_cluster_custom_object(*_TENANTS, _possible(name))
        except _AbsentError:
            return False
        return True

    async def _has_namespace(self, name: str) -> bool:
        try:
            async with _asking():
                await self._core.read_namespace(namespace(name))
        except _AbsentError:
            return False
        return True

    async def _read(self, name: str) -> _Json:
        async with _asking():
            return cast("_Json", await self._objects.get_cluster_custom_object(*_TENANTS, _possible(name)))

    async def _patch(self, name: str, patch: _Json) -> _Json:
        async with _asking():
            answer = await self._objects.patch_cluster_custom_object(*_TENANTS, name, patch, _content_type=_MERGE)
            return cast("_Json", answer)


class _AbsentError(UnavailableError):
    """There is no such object; where that cannot be, Loci's resources are not installed."""


class _StaleError(ConflictError):
    """There is such an object already, or it was just changed."""


def _possible(name: str) -> str:
    """The name, which goes into an address: `.` there would mean every tenant."""
    if not is_tenant_name(name):
        raise _AbsentError("No tenant can have this name.")
    return name


def _merge_patch(before: _Json, after: _Json) -> _Json:
    """What makes one document of another, as a JSON merge patch (RFC 7386)."""
    patch: _Json = dict.fromkeys(before.keys() - after.keys())
    for name, value in after.items():
        was = before.get(name)
        if value != was:
            patch[name] = _merge_patch(was, value) if isinstance(was, dict) and isinstance(value, dict) else value
    return patch


@contextlib.asynccontextmanager
async def _asking() -> AsyncIterator[None]:
    """Asks the API server within a time; its refusals become the admin API's own."""
    try:
        async with asyncio.timeout(_SECONDS):
            yield
    except ApiException as error:
        match error.status:
            case HTTPStatus.NOT_FOUND:
                raise _AbsentError("The cluster has none of Loci's resources: install its CRDs.") from error
            case HTTPStatus.CONFLICT:
                raise _StaleError("There is such a tenant already: choose another name.", "body.name") from error
            case HTTPStatus.UNPROCESSABLE_ENTITY:
                raise InvalidError("The cluster refuses this tenant's spec.", "body") from error
            case _:
                raise UnavailableError("The cluster cannot be asked just now; try again in a moment.") from error
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise UnavailableError("The cluster cannot be asked just now; try again in a moment.") from error


@contextlib.asynccontextmanager
async def kubernetes_store(kubeconfig: Path | None) -> AsyncIterator[KubernetesStore]:
    """The store, as the pod's ServiceAccount when there is no kubeconfig."""
    async with kubernetes_client(kubeconfig) as client:
        yield KubernetesStore(client)
