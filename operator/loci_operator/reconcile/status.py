"""Compute a tenant's status from the outcome of its reconcile. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from loci_contract.keys import key_id
from loci_contract.names import namespace
from loci_contract.registry import KeyRecord, Limits
from loci_operator.reconcile.admit import TERMINATING
from loci_operator.reconcile.causes import Problem
from loci_resources.errors import RejectedError
from loci_resources.tenant import (
    ApiKeyStatus,
    Condition,
    DataStatus,
    EffectiveLimits,
    KeyState,
    MemoryTenant,
    MemoryTenantStatus,
)

_STEPS: Final = ("NamespaceReady", "CredentialsReady", "StoresReady", "DataPlaneReady")


@dataclass(frozen=True)
class Facts:
    """Outcome of a reconcile."""

    limits: Limits | None = None
    keys: Sequence[KeyRecord] = ()
    foreign_keys: Collection[str] = ()
    """Hashes among `keys` that also belong to another tenant."""
    endpoint: str | None = None
    applied: bool = False
    pod_ready: bool = False
    pod_problem: Problem | None = None
    """Known cause why the pod is not ready."""
    stores_problem: Problem | None = None
    """Why the tenant's stores cannot be provisioned, verified or purged at the moment."""
    cache_problem: Problem | None = None
    """Why the tenant's share of the shared cache cannot be provisioned at the moment; it is served without."""
    own_stores_problem: Problem | None = None
    """Why a store of the tenant's own is not ready."""
    outdated: Problem | None = None
    """Why the pod is not up to date, if it is not."""
    data: DataStatus | None = None
    """Where the data is, if that is to be recorded anew."""
    lost: Problem | None = None
    """That the recorded data is gone."""
    volume: str = ""
    """Sizes of the volumes; empty if there is none."""
    volume_problem: Problem | None = None
    """Why a volume is not as wanted."""
    rejected: RejectedError | None = None
    failed: str | None = None
    """Error message of a failed step that is being retried."""


def status(tenant: MemoryTenant, facts: Facts, now: datetime) -> MemoryTenantStatus:
    """The tenant's status; a condition whose status is unchanged keeps its transition time."""
    held = {condition.type: condition for condition in tenant.status.conditions}
    conditions = [
        _keep_time(held.get(type_), type_, verdict, tenant.metadata.generation, now)
        for type_, verdict in _verdicts(tenant, facts).items()
    ]
    ready = next(c for c in conditions if c.type == "Ready")
    return MemoryTenantStatus(
        phase=_phase(tenant, facts, ready),
        conditions=tuple(conditions),
        observed_generation=tenant.metadata.generation,
        namespace=namespace(tenant.metadata.name),
        endpoint=facts.endpoint,
        limits=EffectiveLimits(**facts.limits.model_dump()) if facts.limits else None,
        api_keys=_api_keys(facts, now),
        data=facts.data or tenant.status.data,
    )


def _api_keys(facts: Facts, now: datetime) -> tuple[ApiKeyStatus, ...]:
    seen: set[str] = set()
    told = []
    for key in facts.keys:
        state = KeyState.ACTIVE
        if key.sha256 in facts.foreign_keys:
            state = KeyState.FOREIGN
        elif key.sha256 in seen:
            state = KeyState.DUPLICATE
        elif key.is_expired(now):
            state = KeyState.EXPIRED
        seen.add(key.sha256)
        told.append(ApiKeyStatus(name=key.name, id=key_id(key.sha256), expires_at=key.expires_at, state=state))
    return tuple(told)


@dataclass(frozen=True)
class _Verdict:
    holds: Literal["True", "False", "Unknown"]
    reason: str
    message: str = ""


def _verdicts(tenant: MemoryTenant, facts: Facts) -> dict[str, _Verdict]:
    if tenant.metadata.deletion_timestamp is not None:
        return _going(facts)
    suspended = _suspended(tenant)
    if facts.rejected:
        problem = _Verdict("False", facts.rejected.reason, facts.rejected.message)
        steps = {facts.rejected.condition: problem} if facts.rejected.condition in _STEPS else {}
        return {**steps, "Suspended": suspended, "Ready": problem}
    steps = _steps(tenant, facts)
    ready = next((v for v in steps.values() if v.holds != "True"), _Verdict("True", "Serving"))
    if (facts.stores_problem and not facts.failed) or facts.lost:
        ready = steps["StoresReady"]
    if facts.cache_problem and steps["StoresReady"].holds == "True":
        steps["StoresReady"] = _Verdict("False", *facts.cache_problem)
    if suspended.holds == "True":
        ready = _Verdict("False", "Suspended", suspended.message)
    return {**steps, **_beside(facts), "Suspended": suspended, "Ready": ready}


def _going(facts: Facts) -> dict[str, _Verdict]:
    message = "The tenant is being deleted; requests are rejected. metadata.finalizers lists what is pending."
    if facts.stores_problem:
        message = f"Requests are rejected. Data in the shared stores cannot be removed: {facts.stores_problem.message}"
    going = _Verdict("False", "Deleting", message)
    return {"Deleting": _Verdict("True", "DeletionRequested", message), "Ready": going}


def _steps(tenant: MemoryTenant, facts: Facts) -> dict[str, _Verdict]:
    """The conditions that make a tenant ready, in the order in which they come true."""
    made = _Verdict("True", "Applied") if facts.applied else _Verdict("False", "Retrying", facts.failed or "")
    steps = {**dict.fromkeys(_STEPS, made), "DataPlaneReady": _pod(tenant, facts) if facts.applied else made}
    if facts.stores_problem:
        waiting = _Verdict("False", "WaitingForStores", facts.stores_problem.message)
        steps = steps if facts.applied or facts.failed else dict.fromkeys(_STEPS, waiting)
    own = facts.own_stores_problem if facts.applied else None
    if problem := facts.lost or own or facts.stores_problem:
        steps["StoresReady"] = _Verdict("False", *problem)
    return steps


def _pod(tenant: MemoryTenant, facts: Facts) -> _Verdict:
    if facts.pod_ready:
        return _Verdict("True", "PodReady")
    if facts.pod_problem:
        return _Verdict("False", *facts.pod_problem)
    inspect = f"kubectl describe statefulsets,pods -n {_ns(tenant)}"
    return _Verdict("False", "PodNotReady", f"Waiting for the pod. Inspect it: {inspect}")


def _beside(facts: Facts) -> dict[str, _Verdict]:
    """Conditions that a tenant serves without."""
    current = _Verdict("False", *facts.outdated) if facts.outdated else _Verdict("True", "Current")
    return ({"UpToDate": current} if facts.applied else {}) | _volume(facts)


def _volume(facts: Facts) -> dict[str, _Verdict]:
    if facts.volume_problem:
        return {"VolumeReady": _Verdict("False", *facts.volume_problem)}
    return {"VolumeReady": _Verdict("True", "AsWanted", facts.volume)} if facts.volume else {}


def _suspended(tenant: MemoryTenant) -> _Verdict:
    if tenant.spec.suspend:
        return _Verdict("True", "SpecSuspend", "Requests are rejected. Set spec.suspend to false to resume.")
    return _Verdict("False", "NotSuspended")


def _phase(tenant: MemoryTenant, facts: Facts, ready: Condition) -> str:
    if tenant.metadata.deletion_timestamp is not None:
        return "Deleting"
    if facts.lost:
        return "Failed"
    if facts.rejected:
        return "Terminating" if facts.rejected.reason == TERMINATING else "Failed"
    if tenant.spec.suspend:
        return "Suspended"
    return "Ready" if ready.status == "True" else "Pending"


def _keep_time(held: Condition | None, type_: str, verdict: _Verdict, generation: int, now: datetime) -> Condition:
    since = held.last_transition_time if held and held.status == verdict.holds else now
    return Condition(
        type=type_,
        status=verdict.holds,
        reason=verdict.reason,
        message=verdict.message,
        last_transition_time=since.replace(microsecond=0),
        observed_generation=generation,
    )


def status_patch(held: MemoryTenantStatus, wanted: MemoryTenantStatus) -> dict[str, Any] | None:
    """JSON merge patch from one status to another; None if they are equal."""
    before, after = held.document(), wanted.document()
    if before == after:
        return None
    return {**dict.fromkeys(before.keys() - after.keys()), **after}


def _ns(tenant: MemoryTenant) -> str:
    return namespace(tenant.metadata.name)
