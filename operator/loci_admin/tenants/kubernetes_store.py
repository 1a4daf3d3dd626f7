"""Tenants as objects of a cluster."""

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
    """The TenantStore port on the API server."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def tiers(self) -> Sequence[MemoryTier]:
        """Every tier."""
        with _translated():
            return [MemoryTier.model_validate(item) for item in await self._api.list(TIER)]

    async def create(self, tenant: MemoryTenant) -> None:
        """Add a tenant; ConflictError also when an earlier one's namespace is still there."""
        name = tenant.metadata.name
        with _translated():
            if await self._api.get(NAMESPACE, namespace(name)) is not None:
                message = (
                    f"An earlier tenant named {name} left its namespace {namespace(name)}, or it is still being "
                    "removed: delete it, choose another name, or take it over with kubectl and the annotation "
                    f"{ADOPT}=true."
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
        """Every tenant, by name: the API server's own order."""
        with _translated():
            return [MemoryTenant.model_validate(item) for item in await self._api.list(TENANT)]

    async def change(self, name: str, changed: Callable[[MemoryTenantSpec], MemoryTenantSpec]) -> MemoryTenant | None:
        """Replace a tenant's spec, on the very version that was read."""
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
        raise ConflictError("The tenant is being changed by others: try again.")

    async def delete(self, name: str) -> bool:
        """Remove a tenant."""
        if not is_tenant_name(name):
            return False
        with _translated():
            return await self._api.delete(TENANT, name)

    async def _read(self, name: str) -> _Json | None:
        """The object; a name that no tenant can have, such as `..`, goes into no path."""
        if not is_tenant_name(name):
            return None
        with _translated():
            return await self._api.get(TENANT, name)


class _AbsentError(UnavailableError):
    """There is no such object; where that cannot be, Loci's resources are not installed."""


class _StaleError(ConflictError):
    """There is such an object already, or it was just changed."""


def _merge_patch(before: _Json, after: _Json) -> _Json:
    """What makes one document of another, as a JSON merge patch (RFC 7386)."""
    patch: _Json = dict.fromkeys(before.keys() - after.keys())
    for name, value in after.items():
        was = before.get(name)
        if value != was:
            patch[name] = _merge_patch(was, value) if isinstance(was, dict) and isinstance(value, dict) else value
    return patch


@contextlib.contextmanager
def _translated() -> Iterator[None]:
    """Turns the API server's refusals into the admin API's own errors."""
    try:
        yield
    except ApiError as error:
        match error.status:
            case HTTPStatus.NOT_FOUND:
                raise _AbsentError("The cluster has none of Loci's resources: install its CRDs.") from error
            case HTTPStatus.CONFLICT:
                raise _StaleError("There is such a tenant already: choose another name.", "body.name") from error
            case HTTPStatus.UNPROCESSABLE_ENTITY:
                raise InvalidError("The cluster refuses this tenant's spec.", "body") from error
            case _:
                raise UnavailableError("The cluster cannot be reached; try again in a moment.") from error
    except KubernetesError as error:
        raise UnavailableError("The cluster cannot be reached; try again in a moment.") from error


@contextlib.asynccontextmanager
async def kubernetes_store(kubeconfig: Path | None) -> AsyncIterator[KubernetesStore]:
    """The store, as the pod's ServiceAccount when there is no kubeconfig."""
    async with api(kubeconfig, MANAGER) as calls:
        yield KubernetesStore(calls)
