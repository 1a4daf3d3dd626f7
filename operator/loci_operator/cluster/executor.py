"""Execute a plan's actions in order, stopping at the first failure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import structlog

from loci_kubernetes.api import Api
from loci_kubernetes.errors import ApiError
from loci_operator.cluster.ingress import Ingress
from loci_operator.cluster.kinds import STATEFUL_SET, kind_of
from loci_operator.cluster.secrets import Secrets
from loci_operator.reconcile.observed import Manifest, ObjectRef, ref_of
from loci_operator.reconcile.plan import Action, Restrict
from loci_resources.errors import RejectedError


class Executor:
    """Executes plans and remembers the resource versions that its applies returned."""

    def __init__(self, api: Api, secrets: Secrets, ingress: Ingress) -> None:
        self._api = api
        self._secrets = secrets
        self._ingress = ingress
        self._applied: dict[str, dict[ObjectRef, str]] = {}

    def applied(self, tenant: str) -> Mapping[ObjectRef, str]:
        """Resource versions that the last applies of a tenant's objects returned."""
        return self._applied.get(tenant, {})

    def forget(self, tenant: str) -> None:
        """Drop the cached versions of a deleted tenant."""
        self._applied.pop(tenant, None)

    async def carry_out(self, tenant: str, actions: Sequence[Action]) -> None:
        """Execute a plan's actions in order.

        Raises:
            KubernetesError: an action failed; later actions were not executed.
            RejectedError: the API server rejects a manifest as invalid.
        """
        for action in actions:
            if isinstance(action, Restrict):
                await self._ingress.restrict(tenant, action.record)
            else:
                await self._apply(tenant, action.manifest)

    async def remove(self, stateful_set: ObjectRef) -> None:
        """Delete a StatefulSet with its pods."""
        await self._api.delete(STATEFUL_SET, stateful_set.name, stateful_set.namespace)

    async def _apply(self, tenant: str, manifest: Manifest) -> None:
        ref = ref_of(manifest)
        document = await self._apply_or_replace(manifest)
        self._applied.setdefault(tenant, {})[ref] = document["metadata"]["resourceVersion"]
        if ref.kind == "Secret":
            self._secrets.remember(document)
        structlog.get_logger().info("applied", tenant_id=tenant, kind=ref.kind, namespace=ref.namespace, name=ref.name)

    async def _apply_or_replace(self, manifest: Manifest) -> dict[str, Any]:
        try:
            return await self._api.apply(kind_of(manifest), manifest)
        except ApiError as error:
            if error.status != HTTPStatus.UNPROCESSABLE_ENTITY or kind_of(manifest) is not STATEFUL_SET:
                raise
        # If the manifest is valid under another name, the update failed on an immutable field: recreate the object,
        # orphaning its pod and volume so that they are adopted by the new one.
        metadata = manifest["metadata"]
        await self._check_valid({**manifest, "metadata": {**metadata, "name": f"{metadata['name']}-anew"}})
        await self._api.delete(STATEFUL_SET, metadata["name"], metadata["namespace"], orphan=True)
        return await self._api.apply(STATEFUL_SET, manifest)

    async def _check_valid(self, manifest: Manifest) -> None:
        try:
            await self._api.apply(kind_of(manifest), manifest, dry_run=True)
        except ApiError as error:
            if error.status != HTTPStatus.UNPROCESSABLE_ENTITY:
                raise
            raise RejectedError("DataPlaneReady", "InvalidPod", str(error)) from error
