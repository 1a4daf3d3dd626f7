"""Waves: a change that the platform makes to every pod reaches a few tenants at a time. Pure.

A workload is always applied with its newest template; while its tenant's turn has not come, the partition of a
StatefulSet, or `paused` of a Deployment, keeps the pods at the revision before. The annotation ROLLOUT of the workload
keeps the turn and what it is for, so that a restarted operator goes on where it was. What a tenant's own spec asks for
(tier, resources, storage) does not wait.

Tenants annotated as canaries come first, without any the first tenant by name; then at most `at_once` are under way,
and each that becomes ready makes room for the next. An updated pod that fails stops the waves until it is ready, or is
wanted otherwise. Tenants that do not serve lose nothing by a restart: they do not wait for others, so that a correction
reaches them. The cost is one pass over the candidates.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple

import orjson

from loci_contract.names import GROUP
from loci_operator.reconcile.causes import Problem
from loci_operator.reconcile.observed import Manifest, Seen
from loci_resources.tenant import MemoryTenant

ROLLOUT: Final = f"{GROUP}/rollout"
"""Annotation of a workload: its turn, and the digests of its template and of what the tenant asked for."""
PIN: Final = f"{GROUP}/pin"
"""Annotation of a tenant: "true" keeps its pod as it is."""
CANARY: Final = f"{GROUP}/canary"
"""Annotation of a tenant: "true" has it updated before others."""
_NAMED: Final = 3
_OWN: Final = {"tier", "resources", "storage"}


class Turn(StrEnum):
    """Whether a tenant's pod may be updated."""

    HELD = "held"
    """Not yet."""
    WAVE = "wave"
    """In a wave: others wait until it is ready."""
    DIRECT = "direct"
    """Beside the waves: the tenant asked for it itself, or did not serve anyway."""


class Mark(NamedTuple):
    """A turn, and what it is for."""

    turn: Turn
    template: str
    own: str


@dataclass(frozen=True)
class Candidate:
    """A tenant with a workload.

    Args:
        tenant: its name.
        turn: its turn as the set has it.
        updated: whether the newest template was rolled out to all of its pods, and they were ready then.
        serving: whether its pods are ready, whatever they run.
        canary: whether it comes before others.
        pinned: whether its pod stays as it is.
        failed: whether its update is known to have failed, or takes too long.
    """

    tenant: str
    turn: Turn
    updated: bool
    serving: bool
    canary: bool = False
    pinned: bool = False
    failed: bool = False


@dataclass(frozen=True)
class Wave:
    """The tenants to update now.

    Args:
        update: tenants whose turn has come.
        repair: tenants that do not serve, and are updated beside the waves.
        updating: tenants of a wave that are not updated yet.
        failed: those of them that stop the rollout.
        waiting: tenants whose turn has not come.
    """

    update: tuple[str, ...] = ()
    repair: tuple[str, ...] = ()
    updating: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()


def next_wave(candidates: Sequence[Candidate], *, done: int, at_once: int) -> Wave:
    """Whose turn comes next.

    Args:
        candidates: every tenant with a set.
        done: how many tenants this rollout has updated already.
        at_once: how many tenants of waves may be under way.
    """
    updating = [c for c in candidates if c.turn is Turn.WAVE and not c.updated]
    failed = [c.tenant for c in updating if c.failed]
    waiting = sorted((c for c in candidates if c.turn is Turn.HELD and not c.pinned), key=lambda c: c.tenant)
    serving = [c for c in waiting if c.serving]
    repair = [c for c in waiting if not c.serving][:at_once]
    update = [] if failed else _from(serving, updating, done, at_once)
    chosen = {c.tenant for c in (*update, *repair)}
    return Wave(
        update=_names(update),
        repair=_names(repair),
        updating=_names(updating),
        failed=tuple(failed),
        waiting=tuple(c.tenant for c in waiting if c.tenant not in chosen),
    )


def _from(waiting: list[Candidate], updating: list[Candidate], done: int, at_once: int) -> list[Candidate]:
    canaries = [c for c in waiting if c.canary]
    if canaries:
        return canaries[: max(0, at_once - len(updating))]
    if any(c.canary for c in updating):
        return []
    return waiting[: max(0, (at_once if done else 1) - len(updating))]


def _names(candidates: list[Candidate]) -> tuple[str, ...]:
    return tuple(c.tenant for c in candidates)


def turn(wanted: Mark, seen: Seen | None, granted: Turn | None, *, pinned: bool) -> Turn:
    """A tenant's turn.

    Args:
        wanted: the digests of what is wanted; its turn is not looked at.
        seen: the workload as last seen; None when there is none.
        granted: the turn that came for the tenant; None while none has.
        pinned: whether its pod stays as it is.
    """
    if seen is None:
        return Turn.DIRECT
    if pinned:
        return Turn.HELD
    held = parse(seen.rollout)
    if held is not None and held.template == wanted.template and held.turn is not Turn.HELD:
        return held.turn
    if held is not None and held.own != wanted.own:
        return Turn.DIRECT
    return granted or Turn.HELD


def outdated(chosen: Turn, failed: Sequence[str], *, pinned: bool, updated: bool) -> Problem | None:
    """Why a tenant's pod is not up to date; None when it is. `failed` are the tenants that stop the rollout."""
    if pinned:
        return Problem("Pinned", f"The pod stays as it is: remove the annotation {PIN} to have it updated.")
    if chosen is not Turn.HELD:
        return None if updated else Problem("Updating", "The pod is being updated.")
    if failed:
        named = ", ".join(failed[:_NAMED])
        return Problem(
            "RolloutPaused", f"The rollout stops until these tenants are ready: {named}. Correct or undo it."
        )
    return Problem("WaitingForTurn", "The pod is updated when its turn in the rollout comes; it serves until then.")


def digests(manifest: Manifest, tenant: MemoryTenant) -> Mark:
    """Return the digests of a workload's template and of the part that the tenant's own spec asks for."""
    own = tenant.spec.model_dump(mode="json", include=_OWN)
    return Mark(Turn.HELD, _digest(manifest["spec"]["template"]), _digest(own))


def marked(manifest: Manifest, mark: Mark) -> Manifest:
    """The workload with its turn, and with what holds its pods when that has not come."""
    metadata, is_held = manifest["metadata"], mark.turn is Turn.HELD
    annotations = {**metadata.get("annotations", {}), ROLLOUT: ".".join(mark)}
    return {
        **manifest,
        "metadata": {**metadata, "annotations": annotations},
        "spec": {**manifest["spec"], **_hold(manifest, is_held=is_held)},
    }


def _hold(manifest: Manifest, *, is_held: bool) -> Manifest:
    if manifest["kind"] == "Deployment":
        return {"paused": is_held}
    partition = manifest["spec"]["replicas"] if is_held else 0
    return {"updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": partition}}}


def parse(text: str) -> Mark | None:
    """The mark of an annotation; None when it is none."""
    state, _, rest = text.partition(".")
    template, _, own = rest.partition(".")
    return Mark(Turn(state), template, own) if state in set(Turn) and own else None


def at_once(setting: str, tenants: int) -> int:
    """How many tenants are under way at once, at least one; the setting is a number or a share such as 5%."""
    if not setting.endswith("%"):
        return max(1, int(setting))
    return max(1, math.floor(int(setting[:-1]) * tenants / 100))


def _digest(document: object) -> str:
    return hashlib.sha256(orjson.dumps(document, option=orjson.OPT_SORT_KEYS)).hexdigest()[:12]
