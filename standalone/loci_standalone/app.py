"""Route requests on the single port to the admin API, the process's own endpoints, and tenants."""

from __future__ import annotations

from typing import Final

import structlog

from loci_contract.errors import ErrorCode
from loci_contract.headers import REQUEST_ID
from loci_contract.routes import PLATFORM
from loci_policy.asgi import (
    App,
    Message,
    PolicyMiddleware,
    Receive,
    Scope,
    Send,
    raw_path,
    request_id_of,
    send_response,
)
from loci_policy.gate import Gate
from loci_policy.responses import error
from loci_policy.server import PolicyApp, is_admin
from loci_runtime.draining import drained
from loci_runtime.logs import place_of
from loci_standalone.host import Host

_HEALTH: Final = "/health"
_METRICS: Final = "/metrics"


class FrontApp:
    """ASGI application: /admin to the admin API, the process's own endpoints, everything else through the gate.

    Responses match those of Envoy's routes in a cluster.
    """

    def __init__(self, admin: App, platform: PolicyApp, gate: Gate, host: Host, admin_key_sha256: str) -> None:
        self._admin = admin
        self._platform = platform
        self._tenants = PolicyMiddleware(gate, host.app_of)
        self._host = host
        self._admin_key_sha256 = admin_key_sha256
        self._log = structlog.get_logger()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Dispatch a request; an unexpected exception becomes a 500 response."""
        receive, send = drained(scope, receive, send)
        started = False

        async def sent(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._choose(scope)(scope, receive, sent)
        except Exception as unexpected:  # noqa: BLE001 - the edge: a caller gets the one shape, the log no content
            own_id, reason = request_id_of(scope), type(unexpected).__name__
            self._log.error("request failed", request_id=own_id, error=reason, where=place_of(unexpected))
            if not started:
                message = "Internal error. Report the request id so that its cause can be found."
                response = error(500, ErrorCode.INTERNAL, message, own_id)
                await send_response(scope, send, response, ((REQUEST_ID.encode(), own_id.encode()),))

    def _choose(self, scope: Scope) -> App:
        path = raw_path(scope)
        if path == "/admin" or path.startswith("/admin/"):
            return self._admin
        if path == _METRICS and is_admin(scope, self._admin_key_sha256):
            return self._fresh_metrics
        if path == _HEALTH and _has_credentials(scope):
            return self._tenants
        return self._platform if PLATFORM.at(path) else self._tenants

    async def _fresh_metrics(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._host.refresh()
        await self._platform(scope, receive, send)


def _has_credentials(scope: Scope) -> bool:
    return any(name in {b"authorization", b"x-api-key"} for name, _ in scope["headers"])
