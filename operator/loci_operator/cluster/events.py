"""Events on tenants, for `kubectl describe`: at most one of a reason for a tenant every 5 minutes."""

from __future__ import annotations

import platform
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

import structlog

from loci_contract.names import GROUP
from loci_kubernetes.api import Api
from loci_kubernetes.errors import KubernetesError
from loci_kubernetes.kinds import Kind
from loci_operator.reconcile.happenings import Happening
from loci_resources.tenant import MemoryTenant

_EVENT: Final = Kind("events.k8s.io/v1", "Event", "events")
_NAMESPACE: Final = "default"
"""Where Kubernetes keeps events on objects without a namespace."""
_QUIET_SECONDS: Final = 300.0
_REMEMBERED: Final = 10_000
_NOTE_MAX: Final = 1024


class Events:
    """Tells what happened; that an event cannot be written hinders nothing."""

    def __init__(self, api: Api, now: Callable[[], datetime]) -> None:
        self._api = api
        self._now = now
        self._told: dict[tuple[str, str], datetime] = {}

    async def tell(self, tenant: MemoryTenant, happened: Sequence[Happening]) -> None:
        """Write an event for each, unless the same one was written shortly before."""
        for happening in happened:
            if self._is_due(tenant.metadata.name, happening.reason):
                await self._write(tenant, happening)

    def _is_due(self, tenant: str, reason: str) -> bool:
        now, key = self._now(), (tenant, reason)
        last = self._told.get(key)
        if last is not None and (now - last).total_seconds() < _QUIET_SECONDS:
            return False
        if len(self._told) >= _REMEMBERED:
            self._told.pop(next(iter(self._told)))
        self._told.pop(key, None)
        self._told[key] = now
        return True

    async def _write(self, tenant: MemoryTenant, happening: Happening) -> None:
        metadata, now = tenant.metadata, self._now()
        regarding = {"apiVersion": tenant.api_version, "kind": tenant.kind, "name": metadata.name, "uid": metadata.uid}
        event = {
            "apiVersion": _EVENT.api_version,
            "kind": _EVENT.name,
            "metadata": {"name": f"{metadata.name}.{int(now.timestamp() * 1e6):x}", "namespace": _NAMESPACE},
            "eventTime": now.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "reportingController": f"{GROUP}/operator",
            "reportingInstance": platform.node()[:128],
            "action": "Reconcile",
            "type": happening.type,
            "reason": happening.reason,
            "note": happening.note[:_NOTE_MAX],
            "regarding": regarding,
        }
        try:
            await self._api.create(_EVENT, event)
        except KubernetesError as error:
            structlog.get_logger().warning("event not written", tenant_id=metadata.name, error=type(error).__name__)
