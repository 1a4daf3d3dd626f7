"""The waves of the platform's changes, over all tenants: once a second, when something changed or is under way."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import structlog

from loci_contract.names import namespace
from loci_operator.cluster.observer import Observer
from loci_operator.reconcile.causes import Problem
from loci_operator.reconcile.observed import Seen, workload_of
from loci_operator.reconcile.reading import Known
from loci_operator.reconcile.rollout import CANARY, PIN, Candidate, Turn, Wave, at_once, next_wave, outdated, parse

_TICK_SECONDS: Final = 1.0
_MAY_PASS: Final = {"Unschedulable"}
"""Problems of a pod that may pass by themselves while its node takes it up."""


@dataclass(frozen=True)
class Pace:
    """How fast a rollout may be.

    Args:
        at_once: how many tenants are under way at once, as a number or a share such as 5%.
        deadline_seconds: a tenant that is not updated after this time has failed.
    """

    at_once: str
    deadline_seconds: float


class Rollout:
    """Whose turn it is to be updated."""

    def __init__(
        self, observer: Observer, tenants: Mapping[str, Known], pace: Pace, nudge: Callable[[str], None]
    ) -> None:
        self._observer = observer
        self._tenants = tenants
        self._pace = pace
        self._nudge = nudge
        self._granted: dict[str, Turn] = {}
        self._since: dict[str, float] = {}
        self._done = 0
        self._looked_at = -1
        self.wave = Wave()

    def granted(self, tenant: str) -> Turn | None:
        """The turn that came for a tenant; None while none has."""
        return self._granted.get(tenant)

    def outdated(self, known: Known) -> Problem | None:
        """Why a tenant's pod is not up to date; None when it is, or when there is none."""
        name, annotations = known.tenant.metadata.name, known.tenant.metadata.annotations
        seen = self._workload(name)
        mark = parse(seen.rollout) if seen else None
        if seen is None or mark is None:
            return None
        chosen = self._granted.get(name, mark.turn) if mark.turn is Turn.HELD else mark.turn
        if chosen is Turn.HELD and name not in self.wave.waiting:
            self._looked_at = -1  # it was pinned until now
        return outdated(chosen, self.wave.failed, pinned=annotations.get(PIN) == "true", updated=seen.updated)

    async def run(self) -> None:
        """Give turns until cancelled."""
        await self._observer.synced()
        while True:
            if self._looked_at != self._observer.changes or self.wave.updating or self.wave.waiting:
                self._looked_at = self._observer.changes
                self.advance(asyncio.get_running_loop().time())
            await asyncio.sleep(_TICK_SECONDS)

    def advance(self, now: float) -> None:
        """Give the turns that come now; `now` is a time in seconds."""
        candidates = [c for name in self._tenants if (c := self._candidate(name, now))]
        before, wave = (
            self.wave,
            next_wave(candidates, done=self._done, at_once=at_once(self._pace.at_once, len(candidates))),
        )
        self._keep_account(candidates, wave, now)
        self.wave = wave
        told = (*wave.update, *wave.repair)
        if bool(before.failed) != bool(wave.failed):
            structlog.get_logger().warning("rollout", paused=bool(wave.failed), failed=wave.failed[:3])
            told = (*told, *wave.waiting)
        for tenant in told:
            self._nudge(tenant)

    def _keep_account(self, candidates: list[Candidate], wave: Wave, now: float) -> None:
        turns = {c.tenant: c for c in candidates}
        finished = [name for name in self._since if name not in turns or turns[name].updated]
        for name in finished:
            del self._since[name]
        self._done += len(finished)
        self._granted = {name: turn for name, turn in self._granted.items() if self._is_held(name)}
        self._granted |= dict.fromkeys(wave.update, Turn.WAVE) | dict.fromkeys(wave.repair, Turn.DIRECT)
        for name in (*wave.updating, *wave.update):
            self._since.setdefault(name, now)
        if not (wave.update or wave.updating or wave.waiting):
            self._done = 0

    def _candidate(self, name: str, now: float) -> Candidate | None:
        seen = self._workload(name)
        mark = parse(seen.rollout) if seen else None
        if seen is None or mark is None:
            return None
        annotations = self._tenants[name].tenant.metadata.annotations
        # A turn that came counts before the workload shows it.
        granted = self._granted.get(name) if mark.turn is Turn.HELD else None
        return Candidate(
            tenant=name,
            turn=granted or mark.turn,
            updated=seen.updated and granted is None,
            serving=seen.serving,
            canary=annotations.get(CANARY) == "true",
            pinned=annotations.get(PIN) == "true",
            failed=self._has_failed(name, now),
        )

    def _has_failed(self, name: str, now: float) -> bool:
        problem: Problem | None = next((s.problem for s in self._observer.of(name).values() if s.problem), None)
        is_late = now - self._since.get(name, now) > self._pace.deadline_seconds
        return is_late or (problem is not None and problem.reason not in _MAY_PASS)

    def _is_held(self, name: str) -> bool:
        seen = self._workload(name)
        mark = parse(seen.rollout) if seen else None
        return mark is not None and mark.turn is Turn.HELD

    def _workload(self, name: str) -> Seen | None:
        return workload_of(self._observer.of(name), namespace(name))
