"""One active process of several: leadership by a Lease, as Kubernetes' own controllers have it.

The holder renews the Lease every RENEW_SECONDS and stops leading when it has not succeeded for DEADLINE_SECONDS. Others
look at it every POLL_SECONDS and take it over when it was given up, or when it has not changed for LEASE_SECONDS by
their own clock, so that clocks need not agree. Every write names the version that it was decided on: of two that take
it over, one gets a conflict. A holder that ends regularly gives the Lease up; after a crash another one leads at most
LEASE_SECONDS + POLL_SECONDS later. Between deadline and takeover there is no leader.

The official client has a leader election, but it does not give the Lease up, and waits without bound on a connection
that is half open.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, Final

import structlog

from loci_kubernetes.api import Api, Json
from loci_kubernetes.errors import ApiError, KubernetesError
from loci_kubernetes.kinds import Kind

LEASE_SECONDS: Final = 8
DEADLINE_SECONDS: Final = 5.0
RENEW_SECONDS: Final = 1.5
POLL_SECONDS: Final = 1.0
_LEASE: Final = Kind("coordination.k8s.io/v1", "Lease", "leases")


class LeadershipLostError(Exception):
    """The Lease could not be renewed in time; another process may lead by now."""


@dataclass(frozen=True)
class _Sighting:
    version: str
    at: float


class Leadership:
    """A process's claim to a Lease.

    Args:
        api: calls to the API server.
        name: the Lease's name.
        namespace: its namespace.
        identity: this process; no two alive may share it.
        clock: time, seconds.
    """

    def __init__(
        self, api: Api, name: str, namespace: str, identity: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._api = api
        self._name = name
        self._namespace = namespace
        self._identity = identity
        self._clock = clock
        self._renewed_at: float | None = None
        self._sighting = _Sighting("", clock())

    @property
    def is_held(self) -> bool:
        """Whether this process leads, as far as it can know."""
        return self._renewed_at is not None and self._clock() - self._renewed_at < DEADLINE_SECONDS

    async def acquire(self) -> None:
        """Wait until this process leads."""
        while True:
            if await self._try():
                return
            await asyncio.sleep(POLL_SECONDS)

    async def keep(self) -> None:
        """Renew until cancelled; raises LeadershipLostError when that does not succeed in time."""
        while True:
            await asyncio.sleep(RENEW_SECONDS)
            await self._try()
            if not self.is_held:
                self._renewed_at = None
                raise LeadershipLostError

    async def release(self) -> None:
        """Give the Lease up, if this process holds it, so that another can lead at once."""
        if not self.is_held:
            return
        self._renewed_at = None
        try:
            async with asyncio.timeout(RENEW_SECONDS):
                found = await self._api.get(_LEASE, self._name, self._namespace)
                if found and found["spec"].get("holderIdentity") == self._identity:
                    await self._write(found, {"holderIdentity": ""})
        except (KubernetesError, TimeoutError) as error:
            structlog.get_logger().warning("lease not given up", error=type(error).__name__)

    async def _try(self) -> bool:
        """Take or renew the Lease if possible; whether that succeeded."""
        started = self._clock()
        try:
            async with asyncio.timeout(DEADLINE_SECONDS / 2):
                succeeded = await self._take()
        except (KubernetesError, TimeoutError) as error:
            if not isinstance(error, ApiError) or error.status != HTTPStatus.CONFLICT:
                structlog.get_logger().warning("lease not reached", error=type(error).__name__)
            return False
        if succeeded:
            self._renewed_at = started
        return succeeded

    async def _take(self) -> bool:
        found = await self._api.get(_LEASE, self._name, self._namespace)
        if found is None:
            spec = self._spec(transitions=0, acquired=_now())
            metadata = {"name": self._name, "namespace": self._namespace}
            await self._api.create(_LEASE, {"metadata": metadata, "spec": spec} | _TYPE)
            return True
        held, version = found["spec"], found["metadata"]["resourceVersion"]
        if version != self._sighting.version:
            self._sighting = _Sighting(version, self._clock())
        holder = held.get("holderIdentity") or ""
        if holder not in {"", self._identity} and self._clock() - self._sighting.at < LEASE_SECONDS:
            return False
        is_same, transitions = holder == self._identity, held.get("leaseTransitions", 0)
        acquired = held.get("acquireTime", _now()) if is_same else _now()
        await self._write(found, self._spec(transitions=transitions + (not is_same), acquired=acquired))
        return True

    def _spec(self, transitions: int, acquired: str) -> dict[str, Any]:
        return {
            "holderIdentity": self._identity,
            "leaseDurationSeconds": LEASE_SECONDS,
            "acquireTime": acquired,
            "renewTime": _now(),
            "leaseTransitions": transitions,
        }

    async def _write(self, found: Json, spec: dict[str, Any]) -> None:
        version = found["metadata"]["resourceVersion"]
        patch = {"metadata": {"resourceVersion": version}, "spec": spec}
        await self._api.merge(_LEASE, self._name, patch, self._namespace)


_TYPE: Final = {"apiVersion": _LEASE.api_version, "kind": _LEASE.name}


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
