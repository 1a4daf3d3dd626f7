"""Reconcile one tenant: read the cached state, admit the spec, plan, execute the plan, write the status.

The reconciler is level-based: it compares desired and observed state and ignores which event triggered it. It is
idempotent and can be interrupted at any point. A tenant in its desired state costs no API call.

Failure modes: a spec that cannot be satisfied (RejectedError), including a namespace that is still terminating, is
reported as a status condition and waits for the next change. Any other error is raised, and the work queue retries the
tenant with back-off. In both cases permissions that the spec no longer grants are revoked at the ingress first.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from loci_kubernetes.api import Api
from loci_kubernetes.errors import KubernetesError
from loci_kubernetes.kinds import TENANT
from loci_operator.cluster.credentials import CredentialStore
from loci_operator.cluster.diagnosis import Diagnosis
from loci_operator.cluster.events import Events
from loci_operator.cluster.executor import Executor
from loci_operator.cluster.ingress import Ingress
from loci_operator.cluster.namespaces import Namespaces
from loci_operator.cluster.observer import Observer
from loci_operator.cluster.rollout import Rollout
from loci_operator.cluster.tenants import PURGE, is_there, set_finalizer
from loci_operator.reconcile.admit import admit
from loci_operator.reconcile.causes import Problem
from loci_operator.reconcile.data import keeper, share_data, volume_data, volume_loss
from loci_operator.reconcile.happenings import happenings
from loci_operator.reconcile.observed import Manifest, ObjectRef, Seen, is_workload, ref_of, with_hash, workload_of
from loci_operator.reconcile.plan import Apply, Observed, Restrict, plan, repairs
from loci_operator.reconcile.reading import Known
from loci_operator.reconcile.rollout import PIN, digests, marked, turn
from loci_operator.reconcile.status import Facts, status, status_patch
from loci_operator.reconcile.stores import stores_problem, unused_cache
from loci_operator.specs.children import children
from loci_operator.specs.context import NAME, Context, Platform
from loci_operator.specs.dedicated.all import servers
from loci_operator.specs.service import host
from loci_operator.stores.outcome import Provisioned, StoresError
from loci_operator.stores.tenant_stores import TenantStores
from loci_operator.world import World
from loci_resources.derived import placement
from loci_resources.errors import RejectedError
from loci_resources.storage import Placement, StoreKind
from loci_resources.tenant import DeletionPolicy
from loci_resources.tier import MemoryTier


class TenantGoneError(Exception):
    """The tenant was deleted during its reconcile."""


@dataclass(frozen=True)
class Deps:
    """Dependencies of the reconciler."""

    api: Api
    observer: Observer
    world: World
    namespaces: Namespaces
    ingress: Ingress
    credentials: CredentialStore
    executor: Executor
    rollout: Rollout
    diagnosis: Diagnosis
    events: Events
    repaired: Callable[[str], None]
    """Told the kind of each object that is put right after others changed it."""
    platform: Callable[[], Platform]
    now: Callable[[], datetime]
    stores: TenantStores
    """Stores outside the pods."""


class Reconciler:
    """Drives tenants to their desired state."""

    def __init__(self, deps: Deps) -> None:
        self._deps = deps

    async def reconcile(self, name: str) -> None:
        """Reconcile one tenant; raises errors that are worth retrying."""
        known = self._deps.world.tenants.get(name)
        if known is None:
            await self._clean_up(name)
        elif known.tenant.metadata.deletion_timestamp is not None:
            await self._deps.ingress.withdraw(name)
            await self._release(known)
        else:
            await self._drive(known)

    async def _drive(self, known: Known) -> None:
        facts = Facts()
        try:
            context, provisioned = await self._context(known)
            context, facts = self._checked(known, context, provisioned)
            await self._make(known, context)
            facts = await self._looked_at(known, context, facts)
        except TenantGoneError:
            await self._clean_up(known.tenant.metadata.name)
            return
        except RejectedError as rejected:
            facts = replace(facts, rejected=rejected)
            await self._restrict(known)
        except StoresError as error:
            await self._restrict(known)
            await self._write_status(known, replace(facts, stores_problem=error.problem))
            raise
        except KubernetesError as error:
            await self._write_status(known, replace(facts, failed=str(error)))
            raise
        await self._write_status(known, facts)
        if problem := facts.stores_problem or facts.cache_problem:
            raise StoresError(problem)

    def _checked(self, known: Known, context: Context, provisioned: Provisioned) -> tuple[Context, Facts]:
        """The context, out of service if the tenant's data is lost, and what is known before anything is applied."""
        foreign = self._deps.world.foreign_hashes(context.name)
        facts = Facts(
            context.limits,
            context.keys,
            foreign,
            f"http://{host(context)}",
            stores_problem=provisioned.problem,
            cache_problem=provisioned.cache_problem,
        )
        if context.placement.records is StoreKind.SHARED:
            return context, replace(facts, data=share_data(known.tenant))
        owner = keeper(context.placement)
        claim, has_set = self._deps.diagnosis.claim(context, owner), self._set(context, owner) is not None
        lost = volume_loss(known.tenant, claim, has_set=has_set) if owner else None
        if lost is not None:
            return replace(context, out_of_service=True), replace(facts, lost=lost)
        return context, replace(facts, data=volume_data(context.placement.records, claim))

    async def _looked_at(self, known: Known, context: Context, facts: Facts) -> Facts:
        """The facts once everything is applied."""
        diagnosis, objects = self._deps.diagnosis, self._deps.observer.of(context.name)
        volumes, workload = await diagnosis.volumes(context), workload_of(objects, context.namespace)
        cause = partial(diagnosis.pods, context, volumes=volumes)
        return replace(
            facts,
            applied=True,
            pod_ready=workload is not None and workload.ready,
            pod_problem=cause(NAME),
            own_stores_problem=stores_problem(objects, context.namespace, servers(context), cause),
            outdated=self._deps.rollout.outdated(known),
            volume=", ".join(f"{owner}: {volume.size}" for owner, volume in volumes.items()),
            volume_problem=next((volume.problem for volume in volumes.values() if volume.problem), None),
        )

    async def _make(self, known: Known, context: Context) -> None:
        record = self._deps.ingress.ref(context.name)
        desired = [with_hash(self._in_turn(known, manifest)) for manifest in self._children(context)]
        observed = await self._observed(known)
        actions = plan(desired, record, observed)
        if any(isinstance(action, Apply) and ref_of(action.manifest) not in observed.objects for action in actions):
            await self._check_tenant(known)
        await self._deps.executor.carry_out(context.name, actions)
        if unused := unused_cache(observed.objects, context.namespace, servers(context)):
            await self._deps.executor.remove(unused)
        for kind in repairs(actions, record, observed):
            self._deps.repaired(kind)

    def _children(self, context: Context) -> list[Manifest]:
        """The tenant's manifests; while its data is lost, without a StatefulSet that would start an empty volume."""
        made, owner = children(context), keeper(context.placement)
        if context.out_of_service and self._set(context, owner) is None:
            return [m for m in made if (m["kind"], m["metadata"]["name"]) != ("StatefulSet", owner)]
        return made

    def _in_turn(self, known: Known, manifest: Manifest) -> Manifest:
        """A workload holds its pods until their turn has come; other manifests stay as they are."""
        if not is_workload(manifest):
            return manifest
        metadata, mark = known.tenant.metadata, digests(manifest, known.tenant)
        seen = self._deps.observer.of(metadata.name).get(ref_of(manifest))
        granted = self._deps.rollout.granted(metadata.name)
        chosen = turn(mark, seen, granted, pinned=metadata.annotations.get(PIN) == "true")
        return marked(manifest, mark._replace(turn=chosen))

    def _set(self, context: Context, name: str) -> Seen | None:
        return self._deps.observer.of(context.name).get(ObjectRef("StatefulSet", context.namespace, name))

    async def _context(self, known: Known) -> tuple[Context, Provisioned]:
        """Everything derived from the spec, and its stores; raises RejectedError if it cannot be met."""
        name = known.tenant.metadata.name
        found = await self._deps.namespaces.state(name)
        tier, limits = admit(known, self._deps.world.tiers, found, self._deps.stores.available)
        provisioned = await self._provision(known, tier)
        made = await self._deps.credentials.credentials(known, await self._deps.ingress.record(name))
        keys, generated, token = made.keys, made.generated_keys, made.ingress_token
        platform, access = self._deps.platform(), provisioned.access
        return Context(known.tenant, tier, limits, platform, keys, generated, token, access), provisioned

    async def _provision(self, known: Known, tier: MemoryTier) -> Provisioned:
        """The tenant's stores; from before it has data outside its namespace, its end waits for the data's removal."""
        places = placement(known.tenant, tier)
        if places.is_outside and PURGE not in known.tenant.metadata.finalizers:
            await set_finalizer(self._deps.api, known.tenant.metadata, present=True)
        return await self._deps.stores.provision(known.tenant, places)

    async def _release(self, known: Known) -> None:
        """Remove what a deleted tenant has outside the cluster, or let it stay, as its deletionPolicy says."""
        metadata = known.tenant.metadata
        await self._write_status(known, Facts())
        if PURGE not in metadata.finalizers:
            return
        try:
            await self._purge(known)
        except StoresError as error:
            await self._write_status(known, Facts(stores_problem=error.problem))
            raise
        await set_finalizer(self._deps.api, metadata, present=False)

    async def _purge(self, known: Known) -> None:
        """Remove the tenant's data unless it is to stay, and its cache in any case."""
        held = await self._deps.namespaces.state(known.tenant.metadata.name)
        places = held.places if held else None
        if known.tenant.spec.deletion_policy is DeletionPolicy.DELETE:
            await self._purge_data(known, places)
        await self._deps.stores.purge_cache(known.tenant, places)

    async def _purge_data(self, known: Known, places: Placement | None) -> None:
        if not self._deps.stores.can_purge(known.tenant, places):
            message = (
                f"No shared stores are configured: configure them, or remove the finalizer {PURGE} to leave the data."
            )
            raise StoresError(Problem("StoresNotConfigured", message))
        await self._deps.stores.purge(known.tenant, places)

    async def _observed(self, known: Known) -> Observed:
        name = known.tenant.metadata.name
        restriction = await self._deps.credentials.restriction(known, await self._deps.ingress.record(name))
        return Observed(self._deps.observer.of(name), self._deps.executor.applied(name), restriction)

    async def _restrict(self, known: Known) -> None:
        """Revoke what the spec no longer grants, even though the rest of the spec cannot be applied."""
        restriction = (await self._observed(known)).restriction
        if restriction is not None:
            await self._deps.executor.carry_out(known.tenant.metadata.name, [Restrict(restriction)])

    async def _check_tenant(self, known: Known) -> None:
        """Make sure the tenant still exists before creating objects: its deletion event may have been missed."""
        metadata = known.tenant.metadata
        if not await is_there(self._deps.api, metadata):
            self._deps.world.observe_tenant({"metadata": metadata.document()}, deleted=True)
            raise TenantGoneError(metadata.name)

    async def _write_status(self, known: Known, facts: Facts) -> None:
        name, wanted = known.tenant.metadata.name, status(known.tenant, facts, self._deps.now())
        patch = status_patch(known.tenant.status, wanted)
        if patch is not None:
            self._deps.world.written[name] = (
                wanted  # before the call, since its watch event may arrive before the response
            )
            await self._deps.api.merge_status(TENANT, name, patch)
            await self._deps.events.tell(known.tenant, happenings(known.tenant, wanted))

    async def _clean_up(self, name: str) -> None:
        """Withdraw the registry record and drop cached state; the garbage collector removes owned objects."""
        if self._deps.ingress.knows(name) and await self._deps.api.get(TENANT, name) is None:
            await self._deps.ingress.withdraw(name)
        self._deps.executor.forget(name)
        self._deps.credentials.forget(name)
        self._deps.stores.forget(name)
