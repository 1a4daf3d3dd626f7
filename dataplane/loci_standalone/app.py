"""The one port: who answers which path."""

from __future__ import annotations

from typing import Final

from loci_policy.asgi import App, PolicyMiddleware, Receive, Scope, Send, header, raw_path
from loci_policy.gate import Gate
from loci_policy.server import PolicyApp, is_admin
from loci_standalone.host import Host

_PLATFORM: Final = frozenset({"/livez", "/readyz", "/metrics"})
_HEALTH: Final = "/health"
_METRICS: Final = "/metrics"


class FrontApp:
    """The admin API under /admin, the platform's own endpoints, and all else through the gate to a tenant.

    It answers as Envoy's routes do in front of the same parts.
    """

    def __init__(self, admin: App, platform: PolicyApp, gate: Gate, host: Host, admin_key_sha256: str) -> None:
        self._admin = admin
        self._platform = platform
        self._tenants = PolicyMiddleware(gate, host.app_of)
        self._host = host
        self._admin_key_sha256 = admin_key_sha256

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand one request on."""
        await self._choose(scope)(scope, receive, send)

    def _choose(self, scope: Scope) -> App:
        path = raw_path(scope)
        if path == "/admin" or path.startswith("/admin/"):
            return self._admin
        if path == _METRICS and is_admin(header(scope, b"authorization"), self._admin_key_sha256):
            return self._fresh_metrics
        if path in _PLATFORM or (path == _HEALTH and not _has_credentials(scope)):
            return self._platform
        return self._tenants

    async def _fresh_metrics(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._host.refresh()
        await self._platform(scope, receive, send)


def _has_credentials(scope: Scope) -> bool:
    return any(name in {b"authorization", b"x-api-key"} for name, _ in scope["headers"])
