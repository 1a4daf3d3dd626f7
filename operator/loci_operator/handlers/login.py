"""kopf's connection to the API server."""

from __future__ import annotations

from typing import Any, Final

import aiohttp
import kopf

from loci_kubernetes.connection import keepalive_socket

_IDLE_SECONDS: Final = 2
"""kopf reopens its watches within 0.1 s; a connection idle for longer may be half-open, so it is not reused."""


def register_login(handlers: kopf.OperatorRegistry, *, from_kubeconfig: bool) -> None:
    """Register a login handler that uses the kubeconfig or the pod's ServiceAccount."""

    @kopf.on.login(registry=handlers)
    async def login(**more: Any) -> kopf.AiohttpSession | None:
        found = (kopf.login_with_kubeconfig if from_kubeconfig else kopf.login_with_service_account)(**more)
        if found is None:
            return None
        connector = aiohttp.TCPConnector(
            limit=0, ssl=found.as_ssl_context(), keepalive_timeout=_IDLE_SECONDS, socket_factory=keepalive_socket
        )
        session = aiohttp.ClientSession(connector=connector, headers=found.as_http_headers(), trust_env=True)
        return kopf.AiohttpSession(
            server=found.server, default_namespace=found.default_namespace, aiohttp_session=session
        )
