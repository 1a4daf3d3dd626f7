"""Read, restrict and withdraw a tenant's registry record at the ingress; it is applied like any other object."""

from __future__ import annotations

import base64

from pydantic import ValidationError

from loci_contract.names import REGISTRY_DATA_KEY, registry_secret
from loci_contract.registry import RegistryRecord
from loci_kubernetes.api import Api
from loci_kubernetes.kinds import SECRET
from loci_operator.cluster.observer import Observer
from loci_operator.cluster.secrets import Secrets
from loci_operator.reconcile.observed import HASH, ObjectRef


class Ingress:
    """Registry records of tenants in the system namespace."""

    def __init__(self, api: Api, observer: Observer, secrets: Secrets, system_namespace: str) -> None:
        self._api = api
        self._observer = observer
        self._secrets = secrets
        self._namespace = system_namespace

    def ref(self, tenant: str) -> ObjectRef:
        """Object reference of a tenant's registry record."""
        return ObjectRef("Secret", self._namespace, registry_secret(tenant))

    def knows(self, tenant: str) -> bool:
        """Whether a registry record of the tenant exists."""
        return self.ref(tenant) in self._observer.of(tenant)

    async def record(self, tenant: str) -> RegistryRecord | None:
        """The tenant's registry record; None if it is missing or invalid."""
        if not self.knows(tenant):
            return None
        held = await self._secrets.read(tenant, self._namespace, registry_secret(tenant))
        try:
            return RegistryRecord.model_validate_json(held.get(REGISTRY_DATA_KEY, ""))
        except ValidationError:
            return None

    async def restrict(self, tenant: str, record: RegistryRecord) -> None:
        """Replace the registry record with a more restrictive one."""
        data = {REGISTRY_DATA_KEY: base64.b64encode(record.model_dump_json().encode()).decode()}
        # A different hash makes the full record differ, so it is applied again once the spec can be satisfied.
        patch = {"metadata": {"annotations": {HASH: "restricted"}}, "data": data}
        await self._api.merge(SECRET, registry_secret(tenant), patch, self._namespace)

    async def withdraw(self, tenant: str) -> None:
        """Delete the registry record, so that the ingress denies all requests of the tenant."""
        if self.knows(tenant):
            await self._api.delete(SECRET, registry_secret(tenant), self._namespace)
