"""A tenant's generated API keys and its ingress token: made once, and kept before anybody is told of them.

What was generated stays in memory until its Secret is written, so that a reconcile which fails in between, however
often, comes back to the same key.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from loci_contract.environment import INGRESS_TOKEN_FILE_NAME
from loci_contract.keys import generate, generate_token
from loci_contract.names import API_KEYS_SECRET, namespace
from loci_contract.registry import KeyRecord, RegistryRecord
from loci_operator.cluster.secrets import Secrets
from loci_operator.reconcile.keys import resolve_keys, restricted
from loci_operator.reconcile.reading import Known
from loci_operator.specs.context import NAME


@dataclass(frozen=True)
class Credentials:
    """What a tenant's requests are checked by."""

    keys: tuple[KeyRecord, ...]
    generated_keys: dict[str, str] = field(repr=False)
    ingress_token: str = field(repr=False)


class CredentialStore:
    """The credentials of tenants."""

    def __init__(self, secrets: Secrets) -> None:
        self._secrets = secrets
        self._pending: dict[str, dict[str, str]] = {}
        self._pending_tokens: dict[str, str] = {}

    async def kept_keys(self, tenant: str) -> dict[str, str]:
        """The generated keys that are kept, by name."""
        return await self._secrets.read(tenant, namespace(tenant), API_KEYS_SECRET)

    async def credentials(self, known: Known, record: RegistryRecord | None) -> Credentials:
        """The tenant's credentials, generated where there are none yet; `record` is what the ingress has."""
        name = known.tenant.metadata.name
        kept = await self.kept_keys(name)
        keys, generated = resolve_keys(known.tenant, [kept, self._pending.get(name, {})], generate)
        self._pending[name] = {key: text for key, text in generated.items() if kept.get(key) != text}
        return Credentials(keys, generated, await self._ingress_token(name, record))

    async def restriction(self, known: Known, record: RegistryRecord | None) -> RegistryRecord | None:
        """The record as it may still be, when it says more than is allowed; else None."""
        if record is None:
            return None
        less = restricted(record, known, await self.kept_keys(known.tenant.metadata.name))
        return None if less == record else less

    def forget(self, tenant: str) -> None:
        """Forget a tenant that is gone."""
        self._pending.pop(tenant, None)
        self._pending_tokens.pop(tenant, None)
        self._secrets.forget(namespace(tenant))

    async def _ingress_token(self, tenant: str, record: RegistryRecord | None) -> str:
        """The token that the ingress sends now: what somebody did to the pod's copy is put right, not taken over."""
        if record is not None:
            return record.ingress_token
        held = await self._secrets.read(tenant, namespace(tenant), NAME)
        if token := held.get(INGRESS_TOKEN_FILE_NAME):
            return token
        return self._pending_tokens.setdefault(tenant, generate_token())
