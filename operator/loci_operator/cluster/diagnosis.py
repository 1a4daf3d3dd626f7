"""Why a tenant's pods are not ready and its volume is not as wanted; an expandable volume is expanded on the way.

Everything comes from watches, except the StorageClass of a claim, which is read while the claim has no volume or a
smaller one than wanted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

from loci_kubernetes.api import Api
from loci_kubernetes.errors import ApiError
from loci_operator.cluster.kinds import CLAIM, STORAGE_CLASS
from loci_operator.cluster.observer import Observer
from loci_operator.cluster.warnings import Warnings
from loci_operator.reconcile.causes import Problem, not_created, warned
from loci_operator.reconcile.observed import WORKLOADS, Claim, ObjectRef
from loci_operator.reconcile.volumes import is_smaller, not_expandable, unbound, unfit
from loci_operator.specs.context import Context
from loci_resources.derived import volume_size

_MAY_FOLLOW: Final = "Unschedulable"
"""A pod's problem that may be the consequence of its claim's."""


@dataclass(frozen=True)
class Volume:
    """A volume: its size, and why it is not as wanted, if so."""

    size: str
    problem: Problem | None


class Diagnosis:
    """Diagnoses tenants' pods and volumes."""

    def __init__(self, api: Api, observer: Observer, warnings: Warnings) -> None:
        self._api = api
        self._observer = observer
        self._warnings = warnings

    def claim(self, context: Context, owner: str) -> Claim | None:
        """The claim of a StatefulSet's volume, or None."""
        seen = self._observer.of(context.name).get(_claim_ref(context, owner))
        return seen.claim if seen else None

    async def volumes(self, context: Context) -> dict[str, Volume]:
        """The tenant's volumes by the name of their StatefulSet, except those that are missing for no known reason."""
        refs = [ref for ref in self._observer.of(context.name) if ref.kind == CLAIM.name]
        owners = sorted(ref.name.removeprefix("data-").removesuffix("-0") for ref in refs)
        found = {owner: await self._volume(context, owner) for owner in owners}
        return {owner: volume for owner, volume in found.items() if volume}

    def pods(self, context: Context, owner: str, volumes: Mapping[str, Volume]) -> Problem | None:
        """The first known cause why the pods of a StatefulSet or Deployment are not ready."""
        problem = next(self._pod_problems(context, owner), None)
        if problem is None or problem.reason == _MAY_FOLLOW:
            claim, volume = self.claim(context, owner), volumes.get(owner)
            cause = volume.problem if volume and claim and not claim.bound else None
            return cause or problem
        return problem

    async def _volume(self, context: Context, owner: str) -> Volume | None:
        claim = self.claim(context, owner)
        problem = await self._volume_problem(context, owner, claim) if claim else None
        if claim is None or not (claim.bound or problem):
            return None
        return Volume(claim.capacity or claim.requested, problem)

    async def _volume_problem(self, context: Context, owner: str, claim: Claim) -> Problem | None:
        if not claim.bound:
            class_, warning = await self._class(claim), self._warning(context, owner, "ProvisioningFailed")
            return unbound(claim, has_class=class_ is not None, warning=warning)
        wanted = volume_size(context.tenant, context.tier)
        if not is_smaller(claim.requested, wanted):
            return unfit(claim, self._warning(context, owner, "VolumeResizeFailed"))
        class_ = await self._class(claim)
        if class_ is None or not class_.get("allowVolumeExpansion"):
            return not_expandable(claim, wanted)
        return await self._expand(context, owner, claim, wanted)

    async def _expand(self, context: Context, owner: str, claim: Claim, wanted: str) -> Problem:
        patch = {"spec": {"resources": {"requests": {"storage": wanted}}}}
        try:
            await self._api.merge(CLAIM, _claim_ref(context, owner).name, patch, context.namespace)
        except ApiError as error:
            if error.status not in {HTTPStatus.FORBIDDEN, HTTPStatus.UNPROCESSABLE_ENTITY}:
                raise
            return Problem("ExpansionRefused", f"The volume has {claim.requested}, and {wanted} is wanted: {error}")
        return Problem("Expanding", f"The volume grows from {claim.capacity} to {wanted}.")

    async def _class(self, claim: Claim) -> dict[str, Any] | None:
        return await self._api.get(STORAGE_CLASS, claim.class_name) if claim.class_name else None

    def _warning(self, context: Context, owner: str, reason: str) -> str:
        found = self._warnings.about(_claim_ref(context, owner))
        return found.message if found and found.reason == reason else ""

    def _pod_problems(self, context: Context, owner: str) -> Iterator[Problem]:
        objects = self._observer.of(context.name)
        pods = {ref: seen for ref, seen in objects.items() if ref.kind == "Pod" and ref.name.startswith(f"{owner}-")}
        yield from (seen.problem for seen in pods.values() if seen.problem)
        for ref in pods:
            if found := self._warnings.about(ref):
                yield warned(found.reason, found.message, ref.namespace, ref.name)
        for kind in WORKLOADS:
            ref = ObjectRef(kind, context.namespace, owner)
            workload = objects.get(ref)
            if workload and workload.problem:
                yield workload.problem
            if workload and not pods and (found := self._warnings.about(ref)):
                yield not_created(found.message, context.namespace)


def _claim_ref(context: Context, owner: str) -> ObjectRef:
    return ObjectRef(CLAIM.name, context.namespace, f"data-{owner}-0")
