"""kopf's connection to the API server."""

from __future__ import annotations

from typing import Any, Final

import aiohttp
import kopf

from loci_kubernetes.connection import keepalive_socket

_IDLE_SECONDS: Final = 2
"""kopf's watches follow one another within 0.1 s; what was idle for longer may have fallen silent with the last one."""


def register_login(registry: kopf.OperatorRegistry, *, from_kubeconfig: bool) -> None:
    """Log in as the kubeconfig's user, or as the pod's ServiceAccount."""

    @kopf.on.login(registry=registry)
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
