"""Generated API keys and ingress token of each tenant.

A credential is stored in its Secret before the ingress learns of it. Until the Secret is written, the generated value
is kept in memory, so that retries of a failed reconcile use the same key.
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
    """Credentials that a tenant's requests are authenticated with."""

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
        """Generated keys in the tenant's Secret, by name."""
        return await self._secrets.read(tenant, namespace(tenant), API_KEYS_SECRET)

    async def credentials(self, known: Known, record: RegistryRecord | None) -> Credentials:
        """The tenant's credentials, generated if missing; `record` is the current registry record."""
        name = known.tenant.metadata.name
        kept = await self.kept_keys(name)
        keys, generated = resolve_keys(known.tenant, [kept, self._pending.get(name, {})], generate)
        self._pending[name] = {key: text for key, text in generated.items() if kept.get(key) != text}
        return Credentials(keys, generated, await self._ingress_token(name, record))

    async def restriction(self, known: Known, record: RegistryRecord | None) -> RegistryRecord | None:
        """The registry record reduced to what is still allowed; None if it needs no reduction."""
        if record is None:
            return None
        less = restricted(record, known, await self.kept_keys(known.tenant.metadata.name))
        return None if less == record else less

    def forget(self, tenant: str) -> None:
        """Drop the cached credentials of a deleted tenant."""
        self._pending.pop(tenant, None)
        self._pending_tokens.pop(tenant, None)
        self._secrets.forget(namespace(tenant))

    async def _ingress_token(self, tenant: str, record: RegistryRecord | None) -> str:
        """The token in the registry record wins, so that a manual edit of the pod's Secret is reverted, not adopted."""
        if record is not None:
            return record.ingress_token
        held = await self._secrets.read(tenant, namespace(tenant), NAME)
        if token := held.get(INGRESS_TOKEN_FILE_NAME):
            return token
        return self._pending_tokens.setdefault(tenant, generate_token())
