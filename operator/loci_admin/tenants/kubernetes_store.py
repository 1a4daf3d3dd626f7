"""TenantStore that keeps tenants as MemoryTenant objects in Kubernetes."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

from loci_contract.names import is_tenant_name, namespace
from loci_kubernetes.api import Api, api
from loci_kubernetes.errors import ApiError, KubernetesError
from loci_kubernetes.kinds import NAMESPACE, TENANT, TIER
from loci_resources.tenant import ADOPT, MemoryTenant, MemoryTenantSpec
from loci_resources.tier import MemoryTier
from loci_runtime.errors import ConflictError, InvalidError, UnavailableError

MANAGER: Final = "loci-admin"
_ATTEMPTS: Final = 5

_Json = dict[str, Any]


class KubernetesStore:
    """TenantStore backed by the Kubernetes API server."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def tiers(self) -> Sequence[MemoryTier]:
        """All tiers."""
        with _translated():
            return [MemoryTier.model_validate(item) for item in await self._api.list(TIER)]

    async def create(self, tenant: MemoryTenant) -> None:
        """Add a tenant; raises ConflictError also if a namespace of an earlier tenant still exists."""
        name = tenant.metadata.name
        with _translated():
            if await self._api.get(NAMESPACE, namespace(name)) is not None:
                message = (
                    f"Namespace {namespace(name)} of an earlier tenant named {name} still exists or is being deleted. "
                    "Delete it, choose another name, or adopt it by creating the tenant with kubectl and the "
                    f"annotation {ADOPT}=true."
                )
                raise ConflictError(message, "body.name")
            document = {
                "apiVersion": tenant.api_version,
                "kind": tenant.kind,
                "metadata": {"name": name},
                "spec": tenant.spec.document(),
            }
            await self._api.create(TENANT, document)

    async def get(self, name: str) -> MemoryTenant | None:
        """One tenant."""
        found = await self._read(name)
        return None if found is None else MemoryTenant.model_validate(found)

    async def all(self) -> Sequence[MemoryTenant]:
        """All tenants ordered by name, as the API server lists them."""
        with _translated():
            return [MemoryTenant.model_validate(item) for item in await self._api.list(TENANT)]

    async def change(self, name: str, changed: Callable[[MemoryTenantSpec], MemoryTenantSpec]) -> MemoryTenant | None:
        """Update a tenant's spec with optimistic locking on its resource version."""
        for _ in range(_ATTEMPTS):
            if (found := await self._read(name)) is None:
                return None
            before = MemoryTenant.model_validate(found).spec
            patch = {
                "metadata": {"resourceVersion": found["metadata"]["resourceVersion"]},
                "spec": _merge_patch(before.document(), changed(before).document()),
            }
            with contextlib.suppress(_StaleError, _AbsentError), _translated():
                return MemoryTenant.model_validate(await self._api.merge(TENANT, name, patch))
        raise ConflictError("The tenant is being changed concurrently. Try again.")

    async def delete(self, name: str) -> bool:
        """Remove a tenant."""
        if not is_tenant_name(name):
            return False
        with _translated():
            return await self._api.delete(TENANT, name)

    async def _read(self, name: str) -> _Json | None:
        """The object, or None; invalid names such as `..` never reach a URL path."""
        if not is_tenant_name(name):
            return None
        with _translated():
            return await self._api.get(TENANT, name)


class _AbsentError(UnavailableError):
    """The object does not exist; for a request that always finds one, this means that the CRDs are not installed."""


class _StaleError(ConflictError):
    """The object already exists or was changed concurrently."""


def _merge_patch(before: _Json, after: _Json) -> _Json:
    """JSON merge patch (RFC 7386) from one document to another."""
    patch: _Json = dict.fromkeys(before.keys() - after.keys())
    for name, value in after.items():
        was = before.get(name)
        if value != was:
            patch[name] = _merge_patch(was, value) if isinstance(was, dict) and isinstance(value, dict) else value
    return patch


@contextlib.contextmanager
def _translated() -> Iterator[None]:
    """Translate Kubernetes API errors to errors of the admin API."""
    try:
        yield
    except ApiError as error:
        match error.status:
            case HTTPStatus.NOT_FOUND:
                raise _AbsentError("The Loci CRDs are not installed in the cluster. Install them first.") from error
            case HTTPStatus.CONFLICT:
                raise _StaleError("A tenant of this name already exists. Choose another name.", "body.name") from error
            case HTTPStatus.UNPROCESSABLE_ENTITY:
                raise InvalidError("The Kubernetes API rejected the tenant's spec.", "body") from error
            case _:
                raise UnavailableError("The Kubernetes API is unavailable. Try again later.") from error
    except KubernetesError as error:
        raise UnavailableError("The Kubernetes API is unavailable. Try again later.") from error


@contextlib.asynccontextmanager
async def kubernetes_store(kubeconfig: Path | None) -> AsyncIterator[KubernetesStore]:
    """Open the store with the kubeconfig, or with the pod's ServiceAccount if there is none."""
    async with api(kubeconfig, MANAGER) as calls:
        yield KubernetesStore(calls)
