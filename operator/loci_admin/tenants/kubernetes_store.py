"""Tenants as objects of a cluster."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final, cast

import aiohttp
from kubernetes.aio import config
from kubernetes.aio.client import ApiClient, ApiException, Configuration, CustomObjectsApi

from loci_admin.errors import ConflictError, InvalidError, UnavailableError
from loci_contract.names import GROUP, VERSION
from loci_operator.api.tenant import MemoryTenant, MemoryTenantSpec
from loci_operator.api.tier import MemoryTier

_TENANTS: Final = (GROUP, VERSION, "memorytenants")
_TIERS: Final = (GROUP, VERSION, "memorytiers")
_MERGE: Final = "application/merge-patch+json"
_ATTEMPTS: Final = 5

_Json = dict[str, Any]


class KubernetesStore:
    """The TenantStore port on the API server."""

    def __init__(self, client: ApiClient) -> None:
        self._objects = CustomObjectsApi(client)

    async def tiers(self) -> Sequence[MemoryTier]:
        """Every tier."""
        with _translated():
            found = cast("_Json", await self._objects.list_cluster_custom_object(*_TIERS))
        return [MemoryTier.model_validate(item) for item in found["items"]]

    async def create(self, tenant: MemoryTenant) -> None:
        """Add a tenant."""
        document = {
            "apiVersion": tenant.api_version,
            "kind": tenant.kind,
            "metadata": {"name": tenant.metadata.name},
            "spec": tenant.spec.document(),
        }
        with _translated():
            await self._objects.create_cluster_custom_object(*_TENANTS, document)

    async def get(self, name: str) -> MemoryTenant | None:
        """One tenant."""
        found = await self._read(name)
        return None if found is None else MemoryTenant.model_validate(found)

    async def all(self) -> Sequence[MemoryTenant]:
        """Every tenant, by name: the API server's own order."""
        with _translated():
            found = cast("_Json", await self._objects.list_cluster_custom_object(*_TENANTS))
        return [MemoryTenant.model_validate(item) for item in found["items"]]

    async def change(self, name: str, changed: Callable[[MemoryTenantSpec], MemoryTenantSpec]) -> MemoryTenant | None:
        """Replace a tenant's spec, on the very version that was read."""
        for _ in range(_ATTEMPTS):
            found = await self._read(name)
            if found is None:
                return None
            before = MemoryTenant.model_validate(found).spec
            after = changed(before).document()
            removed = dict.fromkeys(before.document().keys() - after.keys())
            patch = {
                "metadata": {"resourceVersion": found["metadata"]["resourceVersion"]},
                "spec": {**removed, **after},
            }
            with contextlib.suppress(ConflictError), _translated():
                answer = await self._objects.patch_cluster_custom_object(*_TENANTS, name, patch, _content_type=_MERGE)
                return MemoryTenant.model_validate(answer)
        raise ConflictError("The tenant is being changed by others: try again.")

    async def delete(self, name: str) -> bool:
        """Remove a tenant."""
        if await self._read(name) is None:
            return False
        with _translated():
            await self._objects.delete_cluster_custom_object(*_TENANTS, name)
        return True

    async def _read(self, name: str) -> _Json | None:
        try:
            with _translated():
                return cast("_Json", await self._objects.get_cluster_custom_object(*_TENANTS, name))
        except _AbsentError:
            return None


class _AbsentError(Exception):
    pass


@contextlib.contextmanager
def _translated() -> Iterator[None]:
    """The API server's refusals as the admin API's own."""
    try:
        yield
    except ApiException as error:
        match error.status:
            case HTTPStatus.NOT_FOUND:
                raise _AbsentError from error
            case HTTPStatus.CONFLICT:
                raise ConflictError("There is such a tenant already, or it was just changed.") from error
            case HTTPStatus.UNPROCESSABLE_ENTITY:
                raise InvalidError("The cluster refuses this tenant's spec.", "body") from error
            case _:
                raise UnavailableError("The cluster cannot be asked just now; try again in a moment.") from error
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise UnavailableError("The cluster cannot be asked just now; try again in a moment.") from error


@contextlib.asynccontextmanager
async def kubernetes_store(kubeconfig: Path | None) -> AsyncIterator[KubernetesStore]:
    """The store, as the pod's ServiceAccount when there is no kubeconfig."""
    configuration = Configuration()
    if kubeconfig is not None:
        await config.load_kube_config(str(kubeconfig), client_configuration=configuration)
    else:
        config.load_incluster_config(client_configuration=configuration)
    async with ApiClient(configuration) as client:
        yield KubernetesStore(client)
