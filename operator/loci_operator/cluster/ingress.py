"""A tenant's record at the ingress, beyond applying it: reading, restricting and withdrawing it."""

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
    """The records of tenants in the system namespace."""

    def __init__(self, api: Api, observer: Observer, secrets: Secrets, system_namespace: str) -> None:
        self._api = api
        self._observer = observer
        self._secrets = secrets
        self._namespace = system_namespace

    def ref(self, tenant: str) -> ObjectRef:
        """Which object a tenant's record is."""
        return ObjectRef("Secret", self._namespace, registry_secret(tenant))

    def knows(self, tenant: str) -> bool:
        """Whether there is a record."""
        return self.ref(tenant) in self._observer.of(tenant)

    async def record(self, tenant: str) -> RegistryRecord | None:
        """What the ingress knows of a tenant; None when that is nothing, or cannot be read."""
        if not self.knows(tenant):
            return None
        held = await self._secrets.read(tenant, self._namespace, registry_secret(tenant))
        try:
            return RegistryRecord.model_validate_json(held.get(REGISTRY_DATA_KEY, ""))
        except ValidationError:
            return None

    async def restrict(self, tenant: str, record: RegistryRecord) -> None:
        """Put a record that allows less in the place of the one there is."""
        data = {REGISTRY_DATA_KEY: base64.b64encode(record.model_dump_json().encode()).decode()}
        # Another hash, so that the whole record is applied again once the spec can be met.
        patch = {"metadata": {"annotations": {HASH: "restricted"}}, "data": data}
        await self._api.merge(SECRET, registry_secret(tenant), patch, self._namespace)

    async def withdraw(self, tenant: str) -> None:
        """Remove the record: nobody passes any more."""
        if self.knows(tenant):
            await self._api.delete(SECRET, registry_secret(tenant), self._namespace)
