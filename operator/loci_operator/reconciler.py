"""One tenant's reconcile, from what is wanted and seen to what is done; safe to repeat at any point."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from http import HTTPStatus
from typing import Any

import structlog

from loci_contract.environment import INGRESS_TOKEN_FILE_NAME
from loci_contract.keys import generate, generate_token
from loci_contract.names import API_KEYS_SECRET, namespace
from loci_kubernetes.api import Api
from loci_kubernetes.errors import ApiError, KubernetesError
from loci_kubernetes.kinds import NAMESPACE, TENANT, TIER
from loci_operator.cluster.ingress import Ingress
from loci_operator.cluster.kinds import STATEFUL_SET, kind_of
from loci_operator.cluster.observer import Observer
from loci_operator.cluster.secrets import Secrets
from loci_operator.reconcile.keys import resolve_keys
from loci_operator.reconcile.observed import Key, Manifest, differing, key_of, with_hash
from loci_operator.reconcile.status import Facts, status, status_patch
from loci_operator.specs.children import children
from loci_operator.specs.context import NAME, Context, Platform
from loci_operator.specs.namespace import TENANT_UID
from loci_operator.specs.service import host
from loci_operator.world import World
from loci_resources.derived import effective_limits
from loci_resources.errors import RejectedError
from loci_resources.tenant import ADOPT, MemoryTenant
from loci_resources.tier import MemoryTier, StorageProfile


class TenantGoneError(Exception):
    """The tenant that was to be reconciled is no longer there."""


class Engine:
    """Drives tenants to their desired state."""

    def __init__(
        self, api: Api, observer: Observer, world: World, platform: Platform, now: Callable[[], datetime]
    ) -> None:
        self._api = api
        self._observer = observer
        self._world = world
        self._platform = platform
        self._now = now
        self._applied: dict[str, dict[Key, str]] = {}
        """The versions of a tenant's objects that our own last applying gave."""
        self._secrets = Secrets(api, observer)
        self._ingress = Ingress(api, observer, self._secrets, platform.system_namespace)
        self._log = structlog.get_logger()

    async def load(self) -> None:
        """Learn which tenants and tiers there are, before anything is done about one that seems to be missing."""
        for document in await self._api.list(TIER):
            self._world.told_of_tier(document)
        for document in await self._api.list(TENANT):
            self._world.told_of_tenant(document)

    async def forget_gone(self) -> list[str]:
        """Forget tenants whose deletion nobody told of; their names."""
        before = dict(self._world.tenants)
        there = {document["metadata"]["name"] for document in await self._api.list(TENANT)}
        return self._world.forget_gone(before, there)

    async def reconcile(self, name: str) -> None:
        """Do what is to be done for one tenant; raises what is worth trying again."""
        tenant = self._world.tenants.get(name)
        if tenant is None:
            await self._clean_up(name)
            return
        if tenant.metadata.deletion_timestamp is not None:
            await self._ingress.withdraw(name)
            await self._say(tenant, Facts())
            return
        facts = Facts()
        try:
            context = await self._context(tenant)
            facts = replace(facts, limits=context.limits, keys=context.keys, endpoint=f"http://{host(context)}")
            await self._apply(context)
            facts = replace(facts, applied=True, pod_ready=self._is_pod_ready(context))
        except TenantGoneError:
            await self._clean_up(name)
            return
        except RejectedError as rejected:
            facts = replace(facts, rejected=rejected)
            await self._ingress.restrict(tenant)
        except KubernetesError as error:
            await self._say(tenant, replace(facts, failed=str(error)))
            raise
        await self._say(tenant, facts)

    async def _context(self, tenant: MemoryTenant) -> Context:
        """All that follows from the spec; RejectedError when it cannot be met."""
        tier = self._tier(tenant)
        limits = effective_limits(tenant, tier)
        await self._check_namespace(tenant)
        name = tenant.metadata.name
        held = await self._secrets.read(name, namespace(name), API_KEYS_SECRET)
        keys, generated = resolve_keys(tenant, held, generate)
        return Context(tenant, tier, limits, self._platform, keys, generated, await self._ingress_token(name))

    async def _ingress_token(self, name: str) -> str:
        """The token that the ingress sends now: what somebody did to the pod's copy is put right, not taken over."""
        if record := await self._ingress.record(name):
            return record.ingress_token
        held = await self._secrets.read(name, namespace(name), NAME)
        return held.get(INGRESS_TOKEN_FILE_NAME) or generate_token()

    def _tier(self, tenant: MemoryTenant) -> MemoryTier:
        tier = self._world.tiers.get(tenant.spec.tier)
        if tier is None:
            there = ", ".join(sorted(self._world.tiers)) or "none"
            message = f"There is no MemoryTier {tenant.spec.tier}: set spec.tier to one of {there}."
            raise RejectedError("Ready", "UnknownTier", message)
        profile = tenant.spec.storage.profile or tier.spec.storage_profile
        if profile is not StorageProfile.EMBEDDED:
            message = f"Storage profile {profile} is not supported yet: use embedded."
            raise RejectedError("StoresReady", "ProfileNotSupported", message)
        return tier

    async def _check_namespace(self, tenant: MemoryTenant) -> None:
        """Take over no namespace that is not this very tenant's."""
        name = namespace(tenant.metadata.name)
        seen = self._observer.of(tenant.metadata.name).get(Key("Namespace", "", name))
        if seen is None:
            found = await self._api.get(NAMESPACE, name)
            if found is None:
                return
            owner = found["metadata"].get("annotations", {}).get(TENANT_UID, "")
        else:
            owner = seen.tenant_uid
        if owner == tenant.metadata.uid or tenant.metadata.annotations.get(ADOPT) == "true":
            return
        message = (
            f"Namespace {name} is there already, with data of an earlier tenant or of others: annotate this tenant "
            f'with {ADOPT}="true" to take it over, or delete the namespace.'
        )
        raise RejectedError("NamespaceReady", "RetainedDataExists", message)

    async def _apply(self, context: Context) -> None:
        applied = self._applied.setdefault(context.name, {})
        desired = [with_hash(manifest) for manifest in children(context)]
        seen = self._observer.of(context.name)
        todo = differing(desired, seen, applied)
        if any(key_of(manifest) not in seen for manifest in todo):
            await self._check_tenant(context.tenant)
        if self._ingress.knows(context.name):
            # What is no longer allowed is refused first, whatever keeps the rest from being done.
            todo.sort(key=lambda manifest: key_of(manifest) != self._ingress.key(context.name))
        for manifest in todo:
            key = key_of(manifest)
            document = await self._apply_one(manifest)
            applied[key] = document["metadata"]["resourceVersion"]
            if key.kind == "Secret":
                self._secrets.remember(document)
            self._log.info("applied", tenant_id=context.name, kind=key.kind, namespace=key.namespace, name=key.name)

    async def _check_tenant(self, tenant: MemoryTenant) -> None:
        """Make nothing for a tenant that is gone, though nobody told of it."""
        found = await self._api.get(TENANT, tenant.metadata.name)
        if found is None or found["metadata"]["uid"] != tenant.metadata.uid:
            self._world.told_of_tenant({"metadata": tenant.metadata.document()}, deleted=True)
            raise TenantGoneError(tenant.metadata.name)

    async def _apply_one(self, manifest: Manifest) -> dict[str, Any]:
        try:
            return await self._api.apply(kind_of(manifest), manifest)
        except ApiError as error:
            if error.status != HTTPStatus.UNPROCESSABLE_ENTITY or kind_of(manifest) is not STATEFUL_SET:
                raise
        # Where it could be made under another name, a field that may not change did: make the object anew around its
        # pod and volume, which stay.
        metadata = manifest["metadata"]
        await self._check_valid({**manifest, "metadata": {**metadata, "name": f"{metadata['name']}-anew"}})
        await self._api.delete(STATEFUL_SET, metadata["name"], metadata["namespace"], orphan=True)
        return await self._api.apply(kind_of(manifest), manifest)

    async def _check_valid(self, manifest: Manifest) -> None:
        try:
            await self._api.apply(kind_of(manifest), manifest, dry_run=True)
        except ApiError as error:
            if error.status != HTTPStatus.UNPROCESSABLE_ENTITY:
                raise
            raise RejectedError("DataPlaneReady", "InvalidPod", str(error)) from error

    def _is_pod_ready(self, context: Context) -> bool:
        seen = self._observer.of(context.name).get(Key("StatefulSet", context.namespace, NAME))
        return seen is not None and seen.ready

    async def _say(self, tenant: MemoryTenant, facts: Facts) -> None:
        patch = status_patch(tenant.status, status(tenant, facts, self._now()))
        if patch is not None:
            await self._api.merge_status(TENANT, tenant.metadata.name, patch)

    async def _clean_up(self, name: str) -> None:
        """The garbage collector removes what the tenant owned; its record at the ingress goes at once."""
        if self._ingress.knows(name) and await self._api.get(TENANT, name) is None:
            await self._ingress.withdraw(name)
        self._applied.pop(name, None)
        self._secrets.forget(namespace(name))
